//! Tests of authorization: every role and every command, on own and other keys.

use super::*;
use crate::{
    environment::Environment,
    network::Networks,
    role::grant::HIGH_RISK_MAX,
    scope::{Risk, Scope},
    testing::{details, scopes},
    time::DAY,
};

const ME: PersonId = PersonId(1);
const OTHER: PersonId = PersonId(2);
const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

fn id(text: &str) -> Locator {
    text.parse().unwrap()
}

fn own() -> TargetKey {
    TargetKey { id: id("JCgnh3DhfKRFKbvX"), owner: Some(ME) }
}

fn others() -> TargetKey {
    TargetKey { owner: Some(OTHER), ..own() }
}

fn as_key(names: &[&str]) -> Actor {
    Actor::Key(own().id, Box::new(with(names)))
}

fn tried(principal: &Actor, command: Operation, key: Option<&TargetKey>) -> char {
    match allow(principal, command, key, None, NOW) {
        Ok(()) => 'y',
        Err(Failure::Forbidden | Failure::ScopeMissing { .. }) => 'n',
        Err(Failure::NotFound) => '?',
        Err(other) => unreachable!("{other:?}"),
    }
}

/// `y` allowed, `n` refused, `?` key not visible. Columns: own key, another member's key, key with
/// an unknown creator.
#[test]
fn the_table_of_keys() {
    use Operation::{ChangeKey, DeactivateKey, DeleteKey, EndOldSecrets, ReadKey, ReadTrail, RestoreKey, RotateKey};
    let nobodys = TargetKey { owner: None, ..own() };
    for (role, command, expected) in [
        (Role::Owner, ReadKey, "yyy"),
        (Role::Owner, ChangeKey, "yyy"),
        (Role::Owner, DeactivateKey, "yyy"),
        (Role::Owner, RotateKey, "yyy"),
        (Role::Owner, EndOldSecrets, "yyy"),
        (Role::Owner, DeleteKey, "yyy"),
        (Role::Owner, RestoreKey, "yyy"),
        (Role::Owner, ReadTrail, "yyy"),
        (Role::Admin, ReadKey, "yyy"),
        (Role::Admin, ChangeKey, "yyy"),
        (Role::Admin, DeactivateKey, "yyy"),
        (Role::Admin, RotateKey, "yyy"),
        (Role::Admin, EndOldSecrets, "yyy"),
        (Role::Admin, DeleteKey, "yyy"),
        (Role::Admin, RestoreKey, "yyy"),
        (Role::Admin, ReadTrail, "yyy"),
        (Role::Developer, ReadKey, "y??"),
        (Role::Developer, ChangeKey, "y??"),
        (Role::Developer, DeactivateKey, "y??"),
        (Role::Developer, RotateKey, "y??"),
        (Role::Developer, EndOldSecrets, "y??"),
        (Role::Developer, DeleteKey, "y??"),
        (Role::Developer, RestoreKey, "y??"),
        (Role::Developer, ReadTrail, "y??"),
        (Role::Viewer, ReadKey, "yyy"),
        (Role::Viewer, ChangeKey, "nnn"),
        (Role::Viewer, DeactivateKey, "nnn"),
        (Role::Viewer, RotateKey, "nnn"),
        (Role::Viewer, EndOldSecrets, "nnn"),
        (Role::Viewer, DeleteKey, "nnn"),
        (Role::Viewer, RestoreKey, "nnn"),
        (Role::Viewer, ReadTrail, "yyy"),
    ] {
        let me = Actor::Person(ME, role);
        let found: String = [own(), others(), nobodys].iter().map(|key| tried(&me, command, Some(key))).collect();
        assert_eq!(found, expected, "{role:?} {command:?}");
    }
}

#[test]
fn operations_without_a_key_follow_the_table() {
    use Operation::{ChangeSettings, CreateKey, ReadSettings, ReadTrail};
    for (command, expected) in
        [(CreateKey, "yyyn"), (ReadSettings, "yyyy"), (ChangeSettings, "ynnn"), (ReadTrail, "yyny")]
    {
        let found: String = Role::ALL.iter().map(|role| tried(&Actor::Person(ME, *role), command, None)).collect();
        // A developer may create keys, but not read the whole audit trail.
        assert_eq!(found, expected, "{command:?}");
    }
    let sights = Role::ALL.map(|role| Actor::Person(ME, role).sight());
    assert_eq!(sights, [Visibility::All, Visibility::All, Visibility::Of(ME), Visibility::All]);
}

/// Columns: the key itself, another key.
#[test]
fn the_table_of_keys_that_give_commands() {
    use Operation::{ChangeKey, DeactivateKey, DeleteKey, EndOldSecrets, ReadKey, RestoreKey, RotateKey};
    let another = TargetKey { id: id("OUbshx82gywrkBsn"), owner: Some(ME) };
    for (held, command, expected) in [
        ("contacts:read", ReadKey, "??"),
        ("contacts:read", ChangeKey, "??"),
        ("keys:self", ReadKey, "y?"),
        ("keys:self", RotateKey, "y?"),
        ("keys:self", EndOldSecrets, "y?"),
        ("keys:self", DeactivateKey, "y?"),
        ("keys:self", ChangeKey, "n?"),
        ("keys:self", DeleteKey, "n?"),
        ("keys:self", RestoreKey, "n?"),
        ("keys:read", ReadKey, "yy"),
        ("keys:read", RotateKey, "nn"),
        ("keys:read", ChangeKey, "nn"),
        ("keys:write", ReadKey, "yy"),
        ("keys:write", ChangeKey, "yy"),
        ("keys:write", RotateKey, "yy"),
        ("keys:write", DeleteKey, "yy"),
    ] {
        let key = as_key(&[held]);
        let found: String = [own(), another].iter().map(|subject| tried(&key, command, Some(subject))).collect();
        assert_eq!(found, expected, "{held} {command:?}");
    }
    assert_eq!(tried(&as_key(&["keys:read"]), Operation::CreateKey, None), 'n');
    assert_eq!(tried(&as_key(&["keys:write"]), Operation::CreateKey, None), 'y');
    assert_eq!(tried(&as_key(&["keys:write"]), Operation::ChangeSettings, None), 'n');
    assert_eq!(as_key(&["contacts:read"]).sight(), Visibility::Nothing);
}

/// Columns: the key itself, another key, no key. Cells: `y` allowed, `?` key not visible, otherwise
/// the missing scopes.
#[test]
fn a_key_hears_which_scope_it_lacks() {
    use Operation::{
        ChangeKey, ChangeSettings, CreateKey, DeactivateKey, DeleteKey, EndOldSecrets, MoveWorkspace, ReadKey,
        ReadMasters, ReadSettings, ReadTrail, RestoreKey, RotateKey,
    };
    let another = TargetKey { id: id("OUbshx82gywrkBsn"), owner: None };
    let (see, write, own_alone) = ("keys:read", "keys:write", "keys:self");
    let of_a_file = "account:write audit:read keys:read";
    for (held, command, expected) in [
        (own_alone, ReadKey, ["y", "?", see]),
        (own_alone, ChangeKey, [write, "?", write]),
        (own_alone, DeactivateKey, ["y", "?", write]),
        (own_alone, RotateKey, ["y", "?", write]),
        (own_alone, EndOldSecrets, ["y", "?", write]),
        (own_alone, DeleteKey, [write, "?", write]),
        (own_alone, RestoreKey, [write, "?", write]),
        (own_alone, CreateKey, [write, "?", write]),
        (own_alone, ReadTrail, ["audit:read", "?", "audit:read"]),
        (see, DeactivateKey, [own_alone, write, write]),
        (see, RotateKey, [own_alone, write, write]),
        (see, EndOldSecrets, [own_alone, write, write]),
        (see, DeleteKey, [write, write, write]),
        (see, ReadTrail, ["audit:read"; 3]),
        (write, RestoreKey, ["y"; 3]),
        (write, ReadTrail, ["audit:read"; 3]),
        ("audit:read", ReadTrail, ["y"; 3]),
        (write, ReadSettings, ["account:read"; 3]),
        (write, ChangeSettings, ["account:write"; 3]),
        (write, ReadMasters, ["account:write"; 3]),
        (write, MoveWorkspace, [of_a_file; 3]),
        ("account:read", ReadSettings, ["?", "?", "y"]),
        ("account:write", MoveWorkspace, ["?", "?", of_a_file]),
        ("contacts:read", ReadKey, ["?", "?", see]),
    ] {
        let found = [Some(own()), Some(another), None].map(|key| {
            match allow(&as_key(&[held]), command, key.as_ref(), None, NOW) {
                Ok(()) => "y".to_owned(),
                Err(Failure::NotFound) => "?".to_owned(),
                Err(Failure::ScopeMissing { required, granted }) => {
                    assert_eq!(granted, scopes(&[held]));
                    required.joined(" ")
                }
                Err(other) => unreachable!("{other:?}"),
            }
        });
        assert_eq!(found, expected, "{held} {command:?}");
    }
    assert_eq!(as_key(&[own_alone]).listed(), Ok(Visibility::One(own().id)));
    assert!(matches!(as_key(&["contacts:read"]).listed(), Err(Failure::ScopeMissing { .. })));
}

#[test]
fn roles_hold_the_scopes_of_the_table() {
    let lacking = |role: Role| role.scopes().missing(ScopeSet::full()).names();
    assert_eq!(lacking(Role::Owner), Vec::<String>::new());
    assert_eq!(lacking(Role::Admin), ["account:write", "billing:read"]);
    assert_eq!(
        lacking(Role::Developer),
        ["team:write", "account:write", "billing:read", "audit:read", "keys:read", "keys:write"]
    );
    assert_eq!(Role::Viewer.scopes().names().len(), FOR_VIEWERS.len());
    assert!(Role::Viewer.scopes().names().iter().all(|name| name.ends_with(":read")));
    for role in Role::ALL {
        assert_eq!(Role::parse(role.as_str()), Some(role));
    }
}

fn create(principal: &Actor, details: &Details, reason: Option<&str>) -> Result<(), Failure> {
    allow(principal, Operation::CreateKey, None, Some(&Grant::of_new(details, reason)), NOW)
}

fn with(names: &[&str]) -> Details {
    Details { scopes: scopes(names), ..details() }
}

#[test]
fn nobody_grants_a_scope_that_they_do_not_hold() {
    let person = |role| Actor::Person(ME, role);
    let refused = |outcome: Result<(), Failure>| matches!(outcome, Err(Failure::NotHeld { .. }));
    for (role, scope, gives) in [
        (Role::Owner, "billing:read", true),
        (Role::Admin, "billing:read", false),
        (Role::Admin, "account:write", false),
        (Role::Admin, "keys:write", true),
        (Role::Developer, "messages:send", true),
        (Role::Developer, "keys:self", true),
        (Role::Developer, "team:write", false),
        (Role::Developer, "keys:read", false),
    ] {
        let outcome = create(&person(role), &with(&["contacts:read", scope]), None);
        assert_eq!((outcome.is_ok(), refused(outcome)), (gives, !gives), "{role:?} {scope}");
    }
    let rotate = |role, names: &[&str]| {
        allow(&person(role), Operation::RotateKey, Some(&own()), Some(&Grant::again(&with(names))), NOW)
    };
    assert!(rotate(Role::Admin, &["contacts:read"]).is_ok());
    assert!(refused(rotate(Role::Admin, &["billing:read"])), "who rotates sees the secret");
    let Err(Failure::NotHeld { required, held }) = create(&person(Role::Admin), &with(&["billing:read"]), None) else {
        unreachable!()
    };
    assert_eq!(held.missing(required).names(), ["billing:read"]);
}

#[test]
fn keys_never_give_the_power_to_make_keys() {
    let maker = as_key(&["keys:write", "contacts:write"]);
    assert!(create(&maker, &with(&["contacts:read", "keys:read"]), None).is_ok(), "write gives read");
    for names in [&["keys:write"][..], &["messages:send"], &["contacts:read", "keys:write"]] {
        assert!(matches!(create(&maker, &with(names), None), Err(Failure::NotHeld { .. })), "{names:?}");
    }
    let rotate = |key: &TargetKey, names: &[&str]| {
        allow(&maker, Operation::RotateKey, Some(key), Some(&Grant::again(&with(names))), NOW)
    };
    let another = TargetKey { id: id("OUbshx82gywrkBsn"), owner: None };
    assert!(rotate(&another, &["contacts:read"]).is_ok());
    assert!(rotate(&another, &["keys:write"]).is_err(), "it would see the secret of a key that makes keys");
    let itself = as_key(&["keys:write", "keys:self"]);
    let details = with(&["keys:write", "keys:self"]);
    let grant = Grant::again(&details);
    assert!(allow(&itself, Operation::RotateKey, Some(&own()), Some(&grant), NOW).is_ok());
}

#[test]
fn no_key_reaches_further_through_another_one() {
    let networks = |allow: &str| Networks { allow: vec![allow.parse().unwrap()], deny: Vec::new() };
    let at = |millis: i64| Some(NOW.plus(millis));
    let own = Details {
        channels: vec!["ch_1".into(), "ch_2".into()],
        networks: networks("192.0.2.0/24"),
        expires_at: at(DAY),
        ..with(&["keys:write", "contacts:read"])
    };
    let maker = Actor::Key(self::own().id, Box::new(own.clone()));
    let small = Details { scopes: scopes(&["contacts:read"]), ..own.clone() };
    let fields = |given: &Details| match create(&maker, given, None) {
        Ok(()) => Vec::new(),
        Err(Failure::Beyond { errors }) => errors.into_iter().map(|error| error.field).collect(),
        Err(other) => unreachable!("{other:?}"),
    };
    let changed = |change: fn(&mut Details)| {
        let mut given = small.clone();
        change(&mut given);
        fields(&given)
    };
    let none: [&str; 0] = [];
    assert_eq!(fields(&small), none);
    assert_eq!(changed(|given| given.channels = vec!["ch_2".into()]), none);
    assert_eq!(changed(|given| given.networks.allow = vec!["192.0.2.7/32".parse().unwrap()]), none);
    assert_eq!(changed(|given| given.expires_at = Some(NOW.plus(1))), none);
    assert_eq!(changed(|given| given.limits.rate = None), none, "it may make many");
    assert_eq!(changed(|given| given.environment = Environment::Test), ["environment"]);
    assert_eq!(changed(|given| given.channels = Vec::new()), ["restrictions.channels"]);
    assert_eq!(changed(|given| given.channels.push("ch_3".into())), ["restrictions.channels"]);
    assert_eq!(changed(|given| given.networks = Networks::default()), ["restrictions"]);
    assert_eq!(changed(|given| given.networks.allow = vec!["192.0.2.0/23".parse().unwrap()]), ["restrictions"]);
    assert_eq!(changed(|given| given.expires_at = Some(NOW.plus(DAY + 1))), ["expires_at"]);
    assert_eq!(fields(&details()).len(), 3, "a key without any restriction");
    // A new secret, a restore, or one restriction less gives such a key more. A new name does not.
    let another = TargetKey { id: id("OUbshx82gywrkBsn"), owner: None };
    let wide = Details { channels: Vec::new(), ..small.clone() };
    let may = |command, grant: Option<Grant<'_>>| allow(&maker, command, Some(&another), grant.as_ref(), NOW);
    let beyond = |outcome| matches!(outcome, Err(Failure::Beyond { .. }));
    assert!(beyond(may(Operation::RotateKey, Some(Grant::again(&wide)))));
    assert!(beyond(may(Operation::RestoreKey, Some(Grant::again(&wide)))));
    assert!(beyond(may(Operation::ChangeKey, Grant::of_change(&small, &wide, false, None))));
    assert!(beyond(may(Operation::ChangeKey, Grant::of_change(&wide, &wide, true, None))), "its life");
    let named = Details { name: "Other".into(), ..wide.clone() };
    assert_eq!(may(Operation::ChangeKey, Grant::of_change(&wide, &named, false, None)), Ok(()));
    assert_eq!(may(Operation::ChangeKey, Grant::of_change(&wide, &small, false, None)), Ok(()), "less");
    // A key that is denied one network may create a key that is denied a larger one.
    let kept =
        Details { networks: Networks { deny: vec!["192.0.2.0/25".parse().unwrap()], ..Networks::default() }, ..own };
    let kept = Actor::Key(self::own().id, Box::new(kept));
    assert!(create(&kept, &small, None).is_err());
    let deny = vec!["192.0.2.0/24".parse().unwrap()];
    assert_eq!(create(&kept, &Details { networks: Networks { deny, ..Networks::default() }, ..small }, None), Ok(()));
}

#[test]
fn a_change_gives_only_where_it_widens() {
    let beyond = Details { scopes: scopes(&["billing:read", "contacts:read"]), ..details() };
    let at = |millis: i64| Some(NOW.plus(millis));
    let admin = |before: &Details, after: &Details, activated: bool| {
        let grant = Grant::of_change(before, after, activated, None);
        allow(&Actor::Person(ME, Role::Admin), Operation::ChangeKey, Some(&others()), grant.as_ref(), NOW).is_ok()
    };
    let ends = |end| Details { expires_at: end, ..beyond.clone() };
    assert!(admin(&beyond, &Details { name: "Other".into(), ..beyond.clone() }, false), "words");
    assert!(admin(&beyond, &ends(at(5)), false), "an earlier end");
    assert!(admin(&beyond, &Details { channels: vec!["ch_1".into()], ..beyond.clone() }, false), "a restriction");
    assert!(admin(&beyond, &with(&["contacts:read"]), false), "fewer scopes");
    assert!(admin(&with(&["contacts:read"]), &with(&["messages:send"]), false), "what an admin holds");
    assert!(!admin(&ends(at(5)), &ends(at(6)), false), "a later end");
    assert!(!admin(&beyond, &beyond, true), "its life");
    assert!(!admin(&beyond, &Details { scopes: scopes(&["billing:read", "contacts:write"]), ..details() }, false));
    assert!(!admin(&with(&["contacts:read"]), &beyond, false), "one that an admin does not hold");
}

#[test]
fn full_access_is_for_owners_with_a_reason_and_for_a_month() {
    let full = |end: Option<i64>| Details {
        scopes: ScopeSet::full(),
        expires_at: end.map(|millis| NOW.plus(millis)),
        ..details()
    };
    let owner = Actor::Person(ME, Role::Owner);
    let fields = |outcome: Result<(), Failure>| match outcome {
        Ok(()) => Vec::new(),
        Err(Failure::Invalid { errors }) => errors.into_iter().map(|error| error.field).collect(),
        Err(other) => unreachable!("{other:?}"),
    };
    let none: [&str; 0] = [];
    assert_eq!(fields(create(&owner, &full(Some(30 * DAY)), Some("moving house"))), none);
    assert_eq!(fields(create(&owner, &full(Some(30 * DAY + 1)), Some("moving house"))), ["expires_at"]);
    assert_eq!(fields(create(&owner, &full(None), Some("moving house"))), ["expires_at"]);
    assert_eq!(fields(create(&owner, &full(Some(DAY)), None)), ["reason"]);
    assert_eq!(fields(create(&owner, &full(None), Some(""))), ["expires_at", "reason"]);
    // Implied scopes count towards full access without being named.
    let named = Details { scopes: ScopeSet::full().without(&["contacts:read"]), ..full(None) };
    assert_eq!(fields(create(&owner, &named, None)), ["expires_at", "reason"]);
    // Only high-risk scopes count: all scopes but a single one are still full access.
    let almost = Details { scopes: ScopeSet::full().without(&["contacts:pii"]), ..full(None) };
    assert_eq!(fields(create(&owner, &almost, None)), ["expires_at", "reason"]);
    let high: Vec<Scope> = Scope::all().filter(|scope| scope.info().risk == Risk::High).collect();
    let of_high = |count: usize| Details { scopes: high.iter().copied().take(count).collect(), ..full(None) };
    assert_eq!(fields(create(&owner, &of_high(HIGH_RISK_MAX), None)), none);
    assert_eq!(fields(create(&owner, &of_high(HIGH_RISK_MAX + 1), None)), ["expires_at", "reason"]);
    let quiet =
        Details { scopes: ScopeSet::full().iter().filter(|scope| !high.contains(scope)).collect(), ..full(None) };
    assert_eq!(fields(create(&owner, &quiet, None)), none, "any number of others");
    let admin = create(&Actor::Person(ME, Role::Admin), &full(Some(DAY)), Some("moving house"));
    assert!(matches!(admin, Err(Failure::NotHeld { .. })));
    let change = |before: &Details, after: &Details| {
        let grant = Grant::of_change(before, after, false, None);
        fields(allow(&owner, Operation::ChangeKey, Some(&own()), grant.as_ref(), NOW))
    };
    assert_eq!(change(&details(), &full(Some(DAY))), ["reason"], "a key is given full access");
    assert_eq!(change(&full(Some(DAY)), &full(Some(2 * DAY))), ["reason"], "and more time");
    assert_eq!(change(&full(Some(DAY)), &full(None)), ["expires_at", "reason"]);
    assert_eq!(change(&full(Some(2 * DAY)), &full(Some(DAY))), none);
}
