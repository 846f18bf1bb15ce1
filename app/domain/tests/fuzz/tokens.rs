//! Keys in plain text.

use crate::good::{config, keyring};
use ownchat_domain::token::Token;
use proptest::prelude::*;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn tokens(text in prop_oneof![".{0,80}", "oc_(live|test)_[0-9A-Za-z]{10,20}_[0-9A-Za-z]{25,35}",
            "oc_live_[0-9A-Za-z]{16}_[0-9é]{15,30}", "[o_c0-9]{0,300}"]) {
        if let Ok(token) = Token::parse(&text) {
            let _ = token.locator.open(&keyring(), token.environment);
            let revealed = token.reveal();
            prop_assert_eq!(revealed.as_str(), text);
        }
    }
}
