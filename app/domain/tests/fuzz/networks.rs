//! Fuzz tests of CIDR networks.

use crate::{bounds::within, good::config};
use ownchat_domain::network::Network;
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Valid networks as text: IPv4, IPv6, and IPv4-mapped IPv6. Random text is almost never valid.
pub fn good() -> impl Strategy<Value = String> {
    let four = |bits: u32, length: u32| Ipv4Addr::from_bits(bits & u32::MAX.checked_shl(32 - length).unwrap_or(0));
    let six = |bits: u128, length: u32| Ipv6Addr::from_bits(bits & u128::MAX.checked_shl(128 - length).unwrap_or(0));
    prop_oneof![
        (any::<u32>(), 0..=32u32).prop_map(move |(bits, length)| format!("{}/{length}", four(bits, length))),
        (any::<u128>(), 0..=128u32).prop_map(move |(bits, length)| format!("{}/{length}", six(bits, length))),
        (any::<u32>(), 0..=128u32)
            .prop_map(move |(bits, length)| format!("{}/{length}", six(0xffff << 32 | u128::from(bits), length))),
    ]
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => ".{0,60}",
        5 => "[0-9a-f:./]{0,50}",
        5 => "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}/[0-9]{1,3}",
        5 => good(),
        1 => ("[0-9a-f:./]", 0..65_536usize).prop_map(|(one, times)| one.repeat(times)),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn networks(text in any_text(), four: u32, six: u128) {
        if let Ok(network) = within(&text, || text.parse::<Network>()) {
            prop_assert_eq!(network.to_string().parse(), Ok(network), "it is read as it is written");
            let _ = network.contains(Ipv4Addr::from_bits(four).into());
            let _ = network.contains(Ipv6Addr::from_bits(six).into());
            prop_assert!(network.covers(network));
        }
    }
}
