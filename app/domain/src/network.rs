//! Networks in a key's allow and deny lists.
//!
//! A network is written in CIDR notation (RFC 4632 for IPv4, RFC 4291 for IPv6). An address alone
//! is a network of that one address. IPv4-mapped IPv6 addresses (`::ffff:a.b.c.d`, RFC 4291 section
//! 2.5.5.2) become IPv4, in networks and in client addresses. A client therefore cannot bypass a
//! list by switching to the other protocol.

use core::{fmt, net::IpAddr, str::FromStr};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Header in which the platform sends the client's IP address. It sets and overwrites the header.
pub const CLIENT_IP_HEADER: &str = "cf-connecting-ip";

/// Maximum number of networks in one list.
pub const LIST_MAX: usize = 20;

/// Prefix bits of an IPv4-mapped IPv6 address before the IPv4 address.
const MAPPED_BITS: u8 = 96;

/// A network without host bits. Serialises as text in JSON and as numbers in binary formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpNet);

/// The reason that a text does not parse as a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Neither an address nor a network.
    #[error("This is not a network: write 203.0.113.0/24, 2001:db8::/32 or a single address.")]
    Shape,
    /// The address has host bits set, so the intended network is ambiguous.
    #[error("{0} names an address inside a network: did you mean {1}?")]
    HostBits(String, Network),
}

impl Network {
    /// Returns true if `address` lies in this network.
    pub fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Returns true if every address of `other` lies in this network.
    pub fn covers(self, other: Self) -> bool {
        self.0.contains(&other.0)
    }

    const fn is_v4(self) -> bool {
        matches!(self.0, IpNet::V4(_))
    }

    /// Converts an IPv4-mapped IPv6 network to IPv4. A shorter prefix than [`MAPPED_BITS`] also
    /// holds IPv6 addresses, so such a network stays IPv6.
    fn canonical(net: IpNet) -> Self {
        if let IpNet::V6(six) = net
            && let Some(four) = six.addr().to_ipv4_mapped()
            && let Some(prefix) = six.prefix_len().checked_sub(MAPPED_BITS)
            && let Ok(four) = Ipv4Net::new(four, prefix)
        {
            return Self(IpNet::V4(four));
        }
        Self(net)
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let text = text.trim();
        let shape = || NetworkError::Shape;
        let net = if text.contains('/') {
            text.parse::<IpNet>().map_err(|_| shape())?
        } else {
            IpNet::from(text.parse::<IpAddr>().map_err(|_| shape())?)
        };
        if net.addr() == net.network() {
            Ok(Self::canonical(net))
        } else {
            Err(NetworkError::HostBits(text.to_owned(), Self::canonical(net.trunc())))
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() { self.0.addr().fmt(f) } else { self.0.fmt(f) }
    }
}

/// Binary form of a network: address bits and prefix length.
#[derive(Serialize, Deserialize)]
enum Numbers {
    V4(u32, u8),
    V6(u128, u8),
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        match self.0 {
            IpNet::V4(net) => Numbers::V4(net.addr().to_bits(), net.prefix_len()).serialize(serializer),
            IpNet::V6(net) => Numbers::V6(net.addr().to_bits(), net.prefix_len()).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return String::deserialize(deserializer)?.parse().map_err(D::Error::custom);
        }
        let net = match Numbers::deserialize(deserializer)? {
            Numbers::V4(bits, prefix) => Ipv4Net::new(bits.into(), prefix).map(IpNet::V4),
            Numbers::V6(bits, prefix) => Ipv6Net::new(bits.into(), prefix).map(IpNet::V6),
        };
        net.map(|net| Self::canonical(net.trunc())).map_err(D::Error::custom)
    }
}

/// The network restrictions of a key. `deny` wins over `allow`; an empty `allow` permits all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Networks {
    /// Networks that the client must be in, unless the list is empty.
    pub allow: Vec<Network>,
    /// Networks that the client must not be in.
    pub deny: Vec<Network>,
}

impl Networks {
    /// Returns true if both lists are empty, so there is nothing to check.
    pub fn is_empty(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty()
    }

    /// Returns true if a client at this address may use the key. An unknown address passes only if
    /// both lists are empty.
    pub fn permits(&self, address: Option<IpAddr>) -> bool {
        let Some(address) = address else { return self.is_empty() };
        !self.deny.iter().any(|net| net.contains(address))
            && (self.allow.is_empty() || self.allow.iter().any(|net| net.contains(address)))
    }

    /// Rejects contradictory lists: those that permit no address, and those that permit all
    /// addresses of one protocol and none of the other.
    ///
    /// # Errors
    ///
    /// Returns the JSON path of the field at fault and a message.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let Self { allow, deny } = self;
        let whole = |list: &[Network], is_v4: bool| {
            let every = if is_v4 { IpNet::V4(Ipv4Net::default()) } else { IpNet::V6(Ipv6Net::default()) };
            are_covering(list, every)
        };
        if !allow.is_empty() && allow.iter().all(|net| are_covering(deny, net.0)) {
            return Err(("restrictions.deny", "These cover every allowed network: the key would work nowhere.".into()));
        }
        for (all, of_this, is_v4) in [("0.0.0.0/0", "IPv4", true), ("::/0", "IPv6", false)] {
            if whole(allow, is_v4) && allow.iter().all(|net| net.is_v4() == is_v4) {
                let (other, of_other) = if is_v4 { ("::/0", "IPv6") } else { ("0.0.0.0/0", "IPv4") };
                return Err((
                    "restrictions.allow",
                    format!(
                        "{all} allows every {of_this} address and no {of_other} address. Add {other} as well, or leave \
                         the list empty to allow all."
                    ),
                ));
            }
        }
        if whole(deny, true) && whole(deny, false) {
            return Err(("restrictions.deny", "These cover every address: the key would work nowhere.".into()));
        }
        Ok(())
    }

    /// Returns true if these lists surely permit every address that `before` permits. May return
    /// false for lists that do; it never returns true wrongly.
    pub fn is_at_least(&self, before: &Self) -> bool {
        let allows = self.allow.is_empty()
            || (!before.allow.is_empty() && before.allow.iter().all(|net| are_covering(&self.allow, net.0)));
        allows && self.deny.iter().all(|net| are_covering(&before.deny, net.0))
    }
}

/// Returns true if these networks together hold every address of `net`: one of them covers it, or
/// they cover both of its halves.
fn are_covering(list: &[Network], net: IpNet) -> bool {
    list.iter().any(|part| part.0.contains(&net))
        || list.iter().any(|part| net.contains(&part.0))
            && halves(net).is_some_and(|halves| halves.into_iter().all(|half| are_covering(list, half)))
}

/// Splits a network into two; none if it is a single address.
fn halves(net: IpNet) -> Option<[IpNet; 2]> {
    let prefix = net.prefix_len() + 1;
    match net {
        IpNet::V4(four) => {
            let upper = four.addr().to_bits() | 1_u32.checked_shl(32 - u32::from(prefix))?;
            let half = |bits: u32| Ipv4Net::new(bits.into(), prefix).ok().map(IpNet::V4);
            Some([half(four.addr().to_bits())?, half(upper)?])
        }
        IpNet::V6(six) => {
            let upper = six.addr().to_bits() | 1_u128.checked_shl(128 - u32::from(prefix))?;
            let half = |bits: u128| Ipv6Net::new(bits.into(), prefix).ok().map(IpNet::V6);
            Some([half(six.addr().to_bits())?, half(upper)?])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn networks(allow: &[&str], deny: &[&str]) -> Networks {
        Networks { allow: list(allow), deny: list(deny) }
    }

    #[test]
    fn texts_have_one_form() {
        for (text, form) in [
            ("203.0.113.0/24", "203.0.113.0/24"),
            (" 203.0.113.7 ", "203.0.113.7"),
            ("203.0.113.7/32", "203.0.113.7"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:DB8:0::/32", "2001:db8::/32"),
            ("::1", "::1"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), form, "{text}");
        }
    }

    #[test]
    fn an_invalid_network_is_refused_with_an_explanation() {
        for text in
            ["", "x", "203.0.113", "203.0.113.0/33", "2001:db8::/129", "203.0.113.0/-1", "1.2.3.4/24/8", "01.2.3.4"]
        {
            assert!(matches!(text.parse::<Network>(), Err(NetworkError::Shape)), "{text}");
        }
        let error = "203.0.113.7/24".parse::<Network>().unwrap_err();
        assert_eq!(error.to_string(), "203.0.113.7/24 names an address inside a network: did you mean 203.0.113.0/24?");
        assert!("x".repeat(10_000).parse::<Network>().unwrap_err().to_string().len() < 200);
    }

    #[test]
    fn lists_that_cannot_be_meant_are_refused() {
        for (allow, deny, field) in [
            (&["203.0.113.0/24"][..], &["203.0.113.0/24"][..], "restrictions.deny"),
            (&["203.0.113.0/25", "203.0.113.128/25"], &["203.0.112.0/20"], "restrictions.deny"),
            (&["0.0.0.0/0"], &[], "restrictions.allow"),
            (&["0.0.0.0/0", "203.0.113.0/24"], &[], "restrictions.allow"),
            (&["::/0"], &["2001:db8::/32"], "restrictions.allow"),
            (&[], &["0.0.0.0/0", "::/0"], "restrictions.deny"),
            (&[], &["0.0.0.0/1", "128.0.0.0/1", "::/0"], "restrictions.deny"),
            (&["0.0.0.0/1", "128.0.0.0/1"], &[], "restrictions.allow"),
            (&["::/1", "8000::/2", "c000::/2"], &[], "restrictions.allow"),
            (&["203.0.113.0/24"], &["203.0.113.0/25", "203.0.113.128/25"], "restrictions.deny"),
            (
                &["203.0.113.0/24", "2001:db8::/32"],
                &["203.0.112.0/23", "2001:db8::/33", "2001:db8:8000::/33"],
                "restrictions.deny",
            ),
        ] {
            assert_eq!(networks(allow, deny).check().map_err(|(field, _)| field), Err(field), "{allow:?} {deny:?}");
        }
        for (allow, deny) in [
            (&[][..], &[][..]),
            (&["0.0.0.0/0", "::/0"], &["203.0.113.0/24"]),
            (&["0.0.0.0/0", "2001:db8::/32"], &[]),
            (&["203.0.113.0/24"], &["203.0.113.0/25"]),
            (&["203.0.113.0/24"], &["203.0.113.0/25", "203.0.113.128/26"]),
            (&["0.0.0.0/1", "128.0.0.0/1", "::/0"], &[]),
            (&[], &["0.0.0.0/0"]),
            (&[], &["0.0.0.0/1", "::/0"]),
        ] {
            assert_eq!(networks(allow, deny).check(), Ok(()), "{allow:?} {deny:?}");
        }
    }

    #[test]
    fn callers_are_permitted_by_both_lists() {
        let only = networks(&["203.0.113.0/24", "2001:db8::/32"], &["203.0.113.66"]);
        for (address, permitted) in [
            ("203.0.113.7", true),
            ("203.0.113.66", false),
            ("::ffff:203.0.113.7", true),
            ("::ffff:203.0.113.66", false),
            ("203.0.114.7", false),
            ("2001:db8::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(only.permits(address.parse().ok()), permitted, "{address}");
        }
        assert!(!only.permits(None), "nobody knows where the caller is");
        assert!(Networks::default().permits(None));
        let all_but = networks(&[], &["10.0.0.0/8"]);
        assert!(all_but.permits("192.0.2.1".parse().ok()) && !all_but.permits("10.1.2.3".parse().ok()));
        assert!(!all_but.permits("::ffff:10.1.2.3".parse().ok()), "the other protocol is no way around");
    }

    #[test]
    fn widening_is_told_from_narrowing() {
        let none = Networks::default();
        let office = networks(&["203.0.113.0/24"], &[]);
        for (after, before, at_least) in [
            (&none, &office, true),
            (&office, &none, false),
            (&networks(&["203.0.113.0/24", "192.0.2.0/24"], &[]), &office, true),
            (&networks(&["203.0.0.0/16"], &[]), &office, true),
            (&networks(&["203.0.113.0/25"], &[]), &office, false),
            (&networks(&["203.0.113.0/25", "203.0.113.128/25"], &[]), &office, true),
            (&networks(&[], &["192.0.2.1"]), &none, false),
            (&none, &networks(&[], &["192.0.2.1"]), true),
            (&networks(&[], &["192.0.2.1"]), &networks(&[], &["192.0.2.0/24"]), true),
        ] {
            assert_eq!(after.is_at_least(before), at_least, "{after:?} after {before:?}");
        }
    }

    fn any_network() -> impl Strategy<Value = Network> {
        let four = (any::<u32>(), 0u8..=32)
            .prop_map(|(bits, prefix)| Network(IpNet::V4(Ipv4Net::new(bits.into(), prefix).unwrap().trunc())));
        let six = (any::<u128>(), 0u8..=128)
            .prop_map(|(bits, prefix)| Network(IpNet::V6(Ipv6Net::new(bits.into(), prefix).unwrap().trunc())));
        prop_oneof![four, six]
    }

    proptest! {
        #[test]
        fn a_formatted_network_parses_to_itself(net in any_network()) {
            prop_assert_eq!(net.to_string().parse::<Network>(), Ok(net));
            let bytes = postcard::to_allocvec(&net).unwrap();
            prop_assert_eq!(postcard::from_bytes::<Network>(&bytes), Ok(net));
        }

        #[test]
        fn any_text_is_answered(text in ".{0,60}") {
            let _ = text.parse::<Network>();
        }

        /// A change that `is_at_least` accepts refuses no address that was permitted before.
        #[test]
        fn at_least_means_at_least(
            before in (proptest::collection::vec(any_network(), 0..3), proptest::collection::vec(any_network(), 0..3)),
            after in (proptest::collection::vec(any_network(), 0..3), proptest::collection::vec(any_network(), 0..3)),
            address: u32,
        ) {
            let before = Networks { allow: before.0, deny: before.1 };
            let after = Networks { allow: after.0, deny: after.1 };
            let address = Some(IpAddr::from(address.to_be_bytes()));
            if after.is_at_least(&before) && before.permits(address) {
                prop_assert!(after.permits(address));
            }
        }
    }
}
