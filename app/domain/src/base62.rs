//! Fixed-width base62: digits, then capitals, then small letters, most significant first.

/// Digits in the order of their values.
pub const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Returns the value of one digit, 0 to 61, or `None` for any other byte.
pub const fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'Z' => Some(digit - b'A' + 10),
        b'a'..=b'z' => Some(digit - b'a' + 36),
        _ => None,
    }
}

/// Returns the digit of `number % 62`.
pub fn digit(number: u8) -> char {
    char::from(ALPHABET.get(usize::from(number % 62)).copied().unwrap_or(b'0'))
}

/// Encodes `number` with exactly `width` digits, padded with zeros on the left.
///
/// Digits that do not fit are lost, so the caller picks a width that its numbers cannot exceed.
pub fn encode(mut number: u128, width: usize) -> String {
    let mut digits = vec![b'0'; width];
    for slot in digits.iter_mut().rev() {
        // The remainder is below 62.
        *slot = digit(u8::try_from(number % 62).unwrap_or(0)) as u8;
        number /= 62;
    }
    digits.into_iter().map(char::from).collect()
}

/// Decodes digits. Returns `None` for a foreign byte or a number beyond 128 bits.
pub fn decode(text: &str) -> Option<u128> {
    text.bytes().try_fold(0u128, |number, byte| number.checked_mul(62)?.checked_add(u128::from(value(byte)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_values() {
        for (number, width, text) in
            [(0, 1, "0"), (61, 1, "z"), (62, 2, "10"), (u128::from(u32::MAX), 6, "4gfFC3"), (35, 4, "000Z")]
        {
            assert_eq!(encode(number, width), text);
            assert_eq!(decode(text), Some(number));
        }
    }

    #[test]
    fn foreign_bytes_are_refused() {
        for text in ["-", "a b", "ä", "_", "0/", "@"] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(decode(&"z".repeat(22)), None, "beyond 128 bits");
    }

    proptest! {
        #[test]
        fn an_encoded_number_decodes_to_itself(number in any::<u64>()) {
            prop_assert_eq!(decode(&encode(u128::from(number), 11)), Some(u128::from(number)));
        }
    }
}
