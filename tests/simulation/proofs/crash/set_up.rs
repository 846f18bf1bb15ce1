//! Crashes of the vault during the set-up of a deployment and the import of a workspace. Each is
//! done whole, or can be done again.

use crate::{figures::report, size::size};
use ownchat_domain::{
    account::PersonId,
    failure::Failure,
    key::KeyQuery,
    record::kv_name,
    time::{MINUTE, SECOND},
    vault::{
        Object, Outcome,
        instance::{BeginSignIn, SetUp},
        person::ReadPassword,
        registry::{ListKeys, ReadSettings},
    },
};
use ownchat_runtime::{Admin, SETUP_TOKEN};
use ownchat_simulation::{Clock, Latency, Load, World, WorldConfig};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::{io, thread};

/// The workspace that a set-up creates.
const WORKSPACE: u32 = 1;
const KEYS: usize = 60;

/// Outcomes of a step: acknowledged despite the crash, done without a response, or done by a retry.
#[derive(Debug, Default)]
struct StepOutcomes {
    acknowledged: u32,
    unanswered: u32,
    again: u32,
}

#[test]
fn a_beginning_that_was_cut_off_is_whole_or_made_again() {
    let rounds = size(8, 80);
    let mut random = SmallRng::seed_from_u64(5);
    let file = file();
    // Durations without a crash, in milliseconds.
    let [mut claim, mut import] = [0; 2];
    let (mut set_ups, mut imports) = (StepOutcomes::default(), StepOutcomes::default());
    let was_cut_off = |figures: &StepOutcomes| figures.again > 0;
    // Few kills hit on a busy machine, so there are up to four times as many rounds.
    for round in 0..4 * rounds {
        if round >= rounds && was_cut_off(&set_ups) && was_cut_off(&imports) {
            break;
        }
        let mut moment = |whole: i64| (round > 0).then(|| random.random_range(0..=whole));
        let mut world = World::start(&WorldConfig {
            load: Load::Quarters(5),
            edges: 0,
            kv: Latency::NONE,
            staleness: 0,
            ..WorldConfig::default()
        });
        let (owner, took) = set_up(&mut world, moment(claim), &mut set_ups);
        claim = claim.max(took);
        let took = read_in(&mut world, owner, &file, moment(import), &mut imports);
        import = import.max(took);
    }
    report("beginnings", &format!("{rounds}; set-up: {set_ups:?}; import of {KEYS} keys: {imports:?}"));
    for step in [set_ups, imports] {
        assert!(was_cut_off(&step), "nothing was cut off: {step:?}");
    }
}

/// Runs `work`, kills the vault after `moment` milliseconds if given, and restarts it. Returns the
/// result and its duration.
fn cut_off<T: Send>(
    world: &mut World,
    moment: Option<i64>,
    work: impl FnOnce(&mut Admin) -> io::Result<T> + Send,
) -> (io::Result<T>, i64) {
    let mut admin = Admin::of(world.vault(), WORKSPACE);
    let begin = world.clock.now();
    let done = thread::scope(|scope| {
        let working = scope.spawn(|| work(&mut admin));
        if let Some(moment) = moment {
            world.clock.wait(moment);
            world.crash_vault();
        }
        working.join().unwrap()
    });
    let took = world.clock.now().since(begin);
    if moment.is_some() {
        world.start_vault();
    }
    (done, took)
}

fn claim(email: &str) -> SetUp {
    SetUp {
        address: String::new(),
        token: SETUP_TOKEN.into(),
        name: "Ada".into(),
        email: email.into(),
        password: format!("hash of {email}"),
        workspace: "Acme".into(),
    }
}

/// Checks that there is one owner with all that an owner has: the acknowledged one, if any was.
fn set_up(world: &mut World, moment: Option<i64>, figures: &mut StepOutcomes) -> (PersonId, i64) {
    let [first, second] = ["ada@example.com", "bea@example.com"];
    let (told, took) = cut_off(world, moment, |admin| admin.ask_object(Object::Instance, &claim(first)));
    let mut admin = Admin::of(world.vault(), WORKSPACE);
    let again = settled(&mut admin, world.clock, &claim(second));
    let [ada, bea] = [first, second].map(|email| {
        let call = BeginSignIn { email: email.into(), address: "192.0.2.1".into(), device: None };
        admin.ask_object(Object::Instance, &call).unwrap().unwrap()
    });
    let (owner, email) = match (ada, bea) {
        (Some(owner), None) => (owner, first),
        (None, Some(owner)) => (owner, second),
        owners => panic!("{owners:?}"),
    };
    match (told, &again) {
        (Ok(told), Err(Failure::NotFound)) => {
            assert_eq!((told, email), (Ok(owner), first), "an acknowledged set-up is lost");
            figures.acknowledged += 1;
        }
        (Err(_), Err(Failure::NotFound)) => {
            assert_eq!(email, first);
            figures.unanswered += 1;
        }
        (Err(_), Ok(person)) => {
            assert_eq!((*person, email), (owner, second));
            figures.again += 1;
        }
        (told, again) => panic!("told {told:?}, then {again:?}"),
    }
    let password = admin.ask_object(Object::Person(owner), &ReadPassword {}).unwrap();
    assert_eq!(password, Ok(format!("hash of {email}")));
    assert!(admin.ask(&ReadSettings { caller: owner.into() }).unwrap().is_ok(), "the owner is not let in");
    (owner, took)
}

/// Retries until the response is definite: a vault that has just started may be unavailable.
fn settled(admin: &mut Admin, clock: Clock, call: &SetUp) -> Outcome<PersonId> {
    let mut outcome = Err(Failure::Unavailable);
    clock.until(MINUTE, || {
        outcome = admin.ask_object(Object::Instance, call).unwrap_or(Err(Failure::Unavailable));
        outcome != Err(Failure::Unavailable)
    });
    outcome
}

/// Checks that the workspace equals the file after one retry at most, and is empty until then.
fn read_in(
    world: &mut World,
    owner: PersonId,
    file: &[String],
    moment: Option<i64>,
    figures: &mut StepOutcomes,
) -> i64 {
    let (told, took) = cut_off(world, moment, |admin| {
        admin.person = owner;
        import(admin, file)
    });
    let mut admin = Admin::of(world.vault(), WORKSPACE);
    admin.person = owner;
    let query = KeyQuery { limit: Some(100), ..KeyQuery::default() };
    let listed = admin.ask(&ListKeys { caller: owner.into(), query }).unwrap().unwrap();
    match (told, listed.data.len()) {
        (Ok(()), KEYS) => figures.acknowledged += 1,
        (Err(_), KEYS) => figures.unanswered += 1,
        (Err(_), 0) => {
            figures.again += 1;
            import(&mut admin, file).unwrap();
        }
        (told, count) => panic!("{count} keys are there, and was told {told:?}"),
    }
    assert_eq!(admin.export(), file, "it is not what the file says");
    let keys =
        admin.ask(&ListKeys { caller: owner.into(), query: KeyQuery { limit: Some(100), ..KeyQuery::default() } });
    let keys = keys.unwrap().unwrap().data;
    let waited = world.clock.until(MINUTE, || keys.iter().all(|key| world.kv.newest(&kv_name(key.id)).is_some()));
    assert!(waited.is_some(), "KV lacks keys of the file");
    took
}

/// Imports a workspace from a file. An error means that the outcome is unknown.
fn import(admin: &mut Admin, file: &[String]) -> io::Result<()> {
    match admin.import(file)? {
        Ok(_) => Ok(()),
        // Done, but the vault could no longer publish it to the feed.
        Err(Failure::NotEffectiveYet) => Err(io::ErrorKind::Interrupted.into()),
        Err(failure) => panic!("{failure}"),
    }
}

/// Exports a sample workspace.
fn file() -> Vec<String> {
    let world = World::start(&WorldConfig { edges: 0, kv: Latency::NONE, ..WorldConfig::default() });
    let mut admin = world.found(WORKSPACE);
    for number in 0..KEYS {
        admin.make(&format!("Key {number}"), &["contacts:read"]);
    }
    world.clock.wait(SECOND);
    admin.export()
}
