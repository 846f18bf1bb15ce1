//! Many sign-ins at once: what they cost, and who has to wait for them.

use crate::{
    client::{Answer, OWNER},
    deployment::Deployment,
};
use serde_json::json;
use std::{
    io::Write as _,
    net::TcpStream,
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// As many as one network may try before it has to wait.
const CALLERS: usize = 50;
/// Passwords that one queue checks at once or keeps waiting; those that come while it empties are
/// taken in, too.
const CHECKED_MAX: usize = 30;

#[test]
fn a_flood_of_sign_ins_is_cut_short_and_pages_do_not_wait_for_it() {
    let own = Deployment::set_up();
    let owner = own.owner();
    let device = own.signed_in_device();
    let (begin, done) = (Barrier::new(CALLERS + 1), AtomicUsize::new(0));
    let guess = |number: usize| {
        let body = json!({"email": format!("{number}@example.com"), "password": "a guess of somebody"});
        begin.wait();
        let answer = own.console().post("/api/v1/session", &body);
        done.fetch_add(1, Ordering::SeqCst);
        answer
    };
    let answers: Vec<Answer> = thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|number| {
                scope.spawn({
                    let guess = &guess;
                    move || guess(number)
                })
            })
            .collect();
        begin.wait();
        owner.get("/api/v1/session").expect_status(200);
        assert!(done.load(Ordering::SeqCst) < CALLERS, "the page waited for every password");
        // A device that signed in before has a queue of its own.
        let known = own.console().with("Cookie", format!("__Host-ownchat-device={device}"));
        known.post("/api/v1/session", &json!({"email": OWNER.email, "password": OWNER.password})).expect_status(200);
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    let (checked, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 401);
    assert!((1..=CHECKED_MAX).contains(&checked.len()), "{} passwords were checked", checked.len());
    for answer in refused {
        answer.expect_problem(503, "busy");
        assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    }
    // A refusal does not count as a failed attempt: this network has not used up its 50.
    own.console()
        .post("/api/v1/session", &json!({"email": "another@example.com", "password": "a guess of somebody"}))
        .expect_problem(401, "wrong_credentials");
}

#[test]
fn no_password_is_hashed_for_a_caller_who_has_left() {
    /// As many as wait in a queue without being refused.
    const LEAVING: usize = 8;
    let own = Deployment::set_up();
    let body = |name: &str| json!({"email": format!("{name}@example.com"), "password": "a guess of somebody"});
    #[allow(clippy::disallowed_methods, reason = "this is not a Worker")]
    let moment = Instant::now;
    let guess = |name: &str| {
        let begun = moment();
        own.console().post("/api/v1/session", &body(name)).expect_problem(401, "wrong_credentials");
        begun.elapsed()
    };
    let leave = |name: &str| {
        let body = body(name).to_string();
        let (port, length) = (own.port(0), body.len());
        let request = format!(
            "POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        // Long enough to reach the queue.
        thread::sleep(Duration::from_millis(5));
    };
    let is_short = |round: usize| {
        let alone = guess(&format!("alone-{round}"));
        (0..LEAVING).for_each(|number| leave(&format!("left-{round}-{number}")));
        let after = guess(&format!("after-{round}"));
        println!("alone {alone:?}, after {LEAVING} who left {after:?}");
        after < alone * 4
    };
    // The machine may be busy with something else in one of them.
    assert!((0..3).any(is_short), "passwords of those who left were hashed");
}
