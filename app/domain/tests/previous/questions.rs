//! Every command to the vault, in all its forms.

use crate::{LIMITS, at, hash, locator, same};
use ownchat_domain::{
    account::{PersonId, SessionToken},
    audit::{Action, ActorId},
    environment::Environment,
    explain::{Case, Target},
    idempotency::{BodyHash, Idempotency},
    key::{KeyPatch, KeyQuery, NewKey, Sort, Status, StatusFilter},
    key::{QuotaPatch, RateLimitPatch},
    limit::Period,
    scope::{Scope, ScopeSet},
    usage::Step,
    vault::{
        Caller, KeyCaller, Origin,
        instance::{BeginSignIn, CheckSetup, ForgetAttempts, SetUp},
        masters::ReadMasters,
        meter::{AcceptAnyVersion, ClearMeter, LookAhead},
        person::{self, EndSession, OpenSession, ReadPassword, Resume},
        registry::*,
        transfer::{ExportCursor, FinishImport, ReadExport, StageImport},
        usage::{ReadLastUses, ReadUsage, UsageQuery},
    },
    verdict::Code,
};

const FILE: &str = "calls-2.ndjson";

fn key(address: Option<&str>) -> Caller {
    let address = address.map(|address| address.parse().unwrap());
    Caller::Key(KeyCaller { id: locator(), secret: hash(), address })
}

fn person() -> Caller {
    PersonId(0xab).into()
}

fn origin(caller: Caller) -> Origin {
    Origin { caller, address: "192.0.2.1".into(), request_id: "r1".into() }
}

fn once() -> Idempotency {
    Idempotency { key: "order-7".parse().unwrap(), body: BodyHash::of(b"{}") }
}

fn scope(name: &str) -> Scope {
    name.parse().unwrap()
}

#[test]
fn about_keys() {
    let new = NewKey {
        name: "Shop".into(),
        description: "For the till".into(),
        integration: "POS".into(),
        environment: "test".into(),
        scopes: vec!["contacts:read".into(), "messages:send".into()],
        not_before: Some("2026-12-01T00:00:00Z".into()),
        expires_at: Some("2027-01-01T00:00:00Z".into()),
        restrictions: serde_json::from_str(r#"{"allow":["203.0.113.0/24"],"deny":null,"channels":["ch_1"]}"#).unwrap(),
        rate_limit: LIMITS.rate,
        quota: LIMITS.quota,
        metadata: [("team".to_owned(), "commerce".to_owned())].into(),
        reason: Some("why".into()),
        secret_sha256: Some(hash()),
    };
    let create = |caller, once| CreateKey { origin: origin(caller), key: new.clone(), secret: hash(), once };
    same(FILE, "create-key by a person, once", &create(person(), Some(once())));
    same(FILE, "create-key by a key of IPv6", &create(key(Some("2001:db8::1")), None));
    let differences = KeyPatch {
        name: Some("Copy".into()),
        expires_at: Some(None),
        reason: Some("why".into()),
        ..KeyPatch::default()
    };
    let environment = Some(Environment::Test);
    let duplicate = DuplicateKey {
        origin: origin(person()),
        id: locator(),
        differences,
        environment,
        secret: hash(),
        once: Some(once()),
    };
    same(FILE, "duplicate-key", &duplicate);
    let query = KeyQuery {
        cursor: Some("00000A".into()),
        limit: Some(7),
        q: Some("x".into()),
        status: Some(StatusFilter::Inactive),
        scope: Some(scope("contacts:read")),
        environment,
        sort: Sort::Newest,
    };
    same(FILE, "list-keys by a key without an address", &ListKeys { caller: key(None), query });
    same(FILE, "read-key by a key of IPv4", &ReadKey { caller: key(Some("192.0.2.1")), id: locator() });
    let patch = KeyPatch {
        name: Some("Store".into()),
        description: Some(None),
        integration: Some(Some("CRM".into())),
        status: Some(Status::Active),
        reason: Some("why".into()),
        scopes: Some(vec!["contacts:read".into()]),
        not_before: Some(None),
        expires_at: Some(Some("2027-01-01T00:00:00Z".into())),
        restrictions: Some(Some(serde_json::from_str(r#"{"allow":null,"deny":["2001:db8::/32"]}"#).unwrap())),
        rate_limit: Some(Some(RateLimitPatch { limit: Some(5), window_seconds: None })),
        quota: Some(Some(QuotaPatch { limit: None, period: Some(Period::Day) })),
        metadata: Some(Some([("team".to_owned(), None), ("till".to_owned(), Some("2".to_owned()))].into())),
    };
    same(FILE, "change-key", &ChangeKey { origin: origin(person()), id: locator(), version: 3, patch });
    let patch = KeyPatch {
        restrictions: Some(None),
        rate_limit: Some(None),
        quota: Some(None),
        metadata: Some(None),
        ..KeyPatch::default()
    };
    same(FILE, "change-key with nulls", &ChangeKey { origin: origin(key(None)), id: locator(), version: 3, patch });
    let origin = origin(person());
    let rotate = RotateKey {
        origin,
        id: locator(),
        version: 3,
        overlap_seconds: 60,
        end_earlier: false,
        secret: hash(),
        once: Some(once()),
    };
    same(FILE, "rotate-key once", &rotate);
}

#[test]
fn about_calls() {
    let case = Case {
        wanted: Target::Scopes(ScopeSet::from_names(["messages:send"]).unwrap(), Some("ch_1".into())),
        address: Some("192.0.2.9".parse().unwrap()),
        environment: Some(Environment::Live),
        at: Some(at(5)),
        cost: Some(3),
    };
    let explain = |secret, case| ExplainCall { caller: person(), id: locator(), secret, case };
    same(FILE, "explain scopes", &explain(Some(hash()), case));
    let wanted = Target::Route { method: "GET".into(), path: "/v1/contacts".into() };
    let case = Case { wanted, address: None, environment: None, at: None, cost: None };
    same(FILE, "explain a route", &explain(None, case));
    same(FILE, "look-ahead", &LookAhead { limits: LIMITS, version: 9, cost: 4 });
    same(FILE, "clear", &ClearMeter {});
    same("calls-3.ndjson", "believe-anew", &AcceptAnyVersion {});
    let query = UsageQuery {
        from: Some(at(0)),
        to: Some(at(86_400_000)),
        step: Some(Step::Day),
        outcome: Some(Code::Expired),
        scope: Some(scope("contacts:read")),
    };
    same(FILE, "read-usage", &ReadUsage { key: Some(locator()), query });
    same(FILE, "read-usage of all", &ReadUsage::default());
    same(FILE, "read-last-uses", &ReadLastUses { keys: vec![locator()] });
}

#[test]
fn about_the_workspace() {
    let change = ChangeSettings {
        origin: origin(key(None)),
        version: 2,
        suspended: None,
        outage_seconds: Some(600),
        reason: None,
    };
    same(FILE, "change-settings", &change);
    same(FILE, "read-settings", &ReadSettings { caller: key(None) });
    let query = TrailQuery {
        cursor: Some(5),
        limit: Some(9),
        key: Some(locator()),
        actor: Some(ActorId::Key(locator())),
        action: Some(Action::EditWorkspace),
        from: Some(at(0)),
        to: Some(at(1)),
    };
    same(FILE, "read-trail", &ReadTrail { caller: person(), query });
    same(FILE, "read-masters", &ReadMasters { caller: person() });
    same(FILE, "read-export", &ReadExport { origin: origin(person()), after: None });
    let place = |key| Some(ExportCursor { until: 9, key, line: 4 });
    same(FILE, "read-export of keys", &ReadExport { origin: origin(person()), after: place(Some(2)) });
    same(FILE, "read-export of lines", &ReadExport { origin: origin(person()), after: place(None) });
    let lines = vec![r#"{"end":{}}"#.to_owned()];
    same(FILE, "stage-import", &StageImport { origin: origin(person()), first: 1, lines });
    same(FILE, "finish-import", &FinishImport { origin: origin(person()) });
}

#[test]
fn about_people() {
    let token = || "token".to_owned();
    let (name, email, password): (String, String, String) = ("Ada".into(), "a@b.example".into(), "$argon2id$x".into());
    same(FILE, "check-setup", &CheckSetup { token: token(), address: String::new() });
    let workspace = "Shop".to_owned();
    let set_up = SetUp {
        token: token(),
        address: String::new(),
        name: name.clone(),
        email: email.clone(),
        password: password.clone(),
        workspace,
    };
    same(FILE, "set-up", &set_up);
    let address = || "192.0.2.1".to_owned();
    same(FILE, "begin-sign-in", &BeginSignIn { email: email.clone(), address: address(), device: None });
    same(FILE, "forget-attempts", &ForgetAttempts { email: email.clone(), address: address(), device: None });
    let found = person::CreateAccount { name, email, password, workspace: 7, workspace_name: "Shop".into() };
    same(FILE, "found of a person", &found);
    same(FILE, "read-password", &ReadPassword {});
    let session = SessionToken::new(PersonId(1), [3; 16]).hash();
    same(FILE, "open-session", &OpenSession { session, address: address() });
    same(FILE, "resume", &Resume { session });
    same(FILE, "end-session", &EndSession { session });
}
