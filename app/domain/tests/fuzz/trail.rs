//! Lines of an audit trail.

use crate::good::config;
use ownchat_domain::audit::{BEGINNING, Chain};
use proptest::prelude::*;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn lines_of_a_trail(text in prop_oneof![".{0,300}", "\\{\"sequence\":[0-9]{1,30},.{0,100},\"hash\":\"[0-9a-f]{64}\"\\}"]) {
        let mut chain = Chain::default();
        prop_assert!(chain.take(&text).is_err());
        prop_assert_eq!((chain.count(), chain.head()), (0, BEGINNING));
    }
}
