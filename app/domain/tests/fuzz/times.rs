//! Fuzz tests of timestamps, including both ends of the range.

use crate::{
    bounds::within,
    good::{config, some},
};
use ownchat_domain::time::Timestamp;
use proptest::{prelude::*, sample::select};

/// RFC 3339 text, mostly valid, half of it at an end of the range.
fn any_time() -> impl Strategy<Value = String> {
    let ends = select(vec![
        "0000-01-01T00:00:00",
        "0000-12-31T23:59:59",
        "0001-01-01T00:00:00",
        "9999-12-31T23:59:59",
        // A leap second.
        "9999-12-31T23:59:60",
        "2016-12-31t23:59:60",
        "1970-01-01 00:00:00",
    ]);
    let date = (prop_oneof!["[0-9]{4}", "0000", "9999"], 0..14u8, 0..33u8);
    let clock = (0..25u8, 0..61u8, 0..62u8);
    let others = (date, clock).prop_map(|((year, month, day), (hour, minute, second))| {
        format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    });
    let fraction = prop_oneof![3 => Just(String::new()), 1 => "\\.(0{1,12}|9{1,12}|[0-9]{0,12})", 1 => "\\.[0-9]{3}"];
    let offsets = vec!["Z", "z", "+00:00", "-00:00", "+23:59", "-23:59", "+01:00", "-00:01", "+24:00", ""];
    let offset = prop_oneof![5 => select(offsets).prop_map(str::to_owned), 1 => "[+-][0-9]{2}:[0-9]{2}"];
    let begin = prop_oneof![ends.prop_map(str::to_owned), others];
    (begin, fraction, offset).prop_map(|(begin, fraction, offset)| format!("{begin}{fraction}{offset}"))
}

#[test]
fn times_and_other_texts_are_tried() {
    let times = some(&any_time()).iter().filter(|text| Timestamp::parse(text).is_some()).count();
    assert!((60..240).contains(&times), "{times}");
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_parsed_time_formats_to_text_that_parses_to_itself(text in prop_oneof![9 => any_time(), 1 => ".{0,80}"]) {
        if let Some(moment) = within(&text, || Timestamp::parse(&text)) {
            prop_assert_eq!(Timestamp::parse(&moment.rfc3339()), Some(moment), "{}", moment.rfc3339());
            let json = serde_json::to_string(&moment).unwrap();
            prop_assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), moment);
            let _ = (moment.day_and_time(), moment.time_of_day(), moment.day_of_month());
        }
        let date: String = text.chars().take(10).collect();
        let _ = within(&date, || Timestamp::parse_end_of_day(&date));
    }
}
