//! Use of the processor for each request: user and system time of the server's process, all its threads, over a
//! number of requests. Whoever is compared takes turns (A B A B), several in each round, so that what else the machine
//! does meets all of them alike; the median of the rounds counts.

use crate::figures::{each, median};
use ownchat_runtime::{Answer, Client, Process};
use std::{net::SocketAddr, thread, time::Duration};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Requests of one turn.
    pub requests: u32,
    /// Turns that each takes in a round.
    pub turns: u32,
    /// Requests to each before the first round.
    pub warm_up: u32,
    /// Rounds.
    pub rounds: u32,
    /// How many callers there are at once. Each waits for its answer before it calls again.
    pub callers: u32,
}

/// What a right answer is.
#[derive(Clone, Debug)]
pub enum Body {
    /// These bytes.
    Is(Vec<u8>),
    /// JSON with this `code`: the answer names its own request, so no two are the same.
    Says(&'static str),
}

/// A request to a server, with what it must answer.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// For messages.
    pub name: &'static str,
    /// The process that the server runs in, alone.
    pub process: &'a Process,
    /// Where it listens.
    pub address: SocketAddr,
    /// The bytes of the request.
    pub request: Vec<u8>,
    /// The status of a right answer.
    pub status: u16,
    /// Its body.
    pub body: Body,
}

impl Subject<'_> {
    /// Sends so many requests and looks at every answer.
    fn call(&self, count: u32, callers: u32) {
        thread::scope(|scope| {
            for caller in 0..callers {
                // Together they are `count`, whatever the division leaves.
                let share = (count + caller) / callers;
                scope.spawn(move || {
                    let mut client = Client::new(self.address);
                    for _ in 0..share {
                        let answer = client.send(&self.request).unwrap();
                        assert!(self.is_right(&answer), "{}: {} {}", self.name, answer.status, answer.text());
                    }
                });
            }
        });
    }

    fn is_right(&self, answer: &Answer) -> bool {
        answer.status == self.status
            && match &self.body {
                Body::Is(bytes) => answer.body == *bytes,
                Body::Says(code) => answer.json()["code"] == *code,
            }
    }
}

/// Microseconds of each request, for each of the subjects in their order.
pub fn compare<const N: usize>(subjects: &[Subject<'_>; N], plan: Plan) -> [f64; N] {
    for subject in subjects {
        subject.call(plan.warm_up, plan.callers);
    }
    let mut rounds: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..plan.rounds {
        let mut used = [Duration::ZERO; N];
        for _ in 0..plan.turns {
            for (subject, used) in subjects.iter().zip(&mut used) {
                let before = subject.process.cpu();
                subject.call(plan.requests, plan.callers);
                *used += subject.process.cpu().saturating_sub(before);
            }
        }
        for (figures, used) in rounds.iter_mut().zip(used) {
            figures.push(each(used, plan.requests * plan.turns));
        }
    }
    rounds.map(|figures| median(&figures).unwrap())
}
