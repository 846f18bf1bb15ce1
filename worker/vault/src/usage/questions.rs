//! What can be asked of usage.

use super::{
    batches::waiting,
    table::{DAYS, HOURS, MINUTES},
};
use crate::{
    answer::Done,
    database::{Database, DatabaseError},
};
use ownchat_domain::{
    failure::Failure,
    locator::Locator,
    scope::Scope,
    time::Timestamp,
    usage::{LastUse, Point, Series, Span, Step, Sums},
    vault::usage::{LAST_USES_MAX, ReadLastUses, ReadUsage},
    verdict::Code,
};
use std::collections::BTreeMap;

/// Use over time.
pub fn usage(database: &impl Database, call: &ReadUsage, now: Timestamp) -> Done<Series> {
    let query = &call.query;
    let span = Span::of(query.from, query.to, query.step, now)?;
    let mut steps: BTreeMap<Timestamp, Sums> = BTreeMap::new();
    let step_of = |moment| span.step.begin(span.step.number(moment));
    for table in [MINUTES, HOURS, DAYS].into_iter().filter(|table| table.step <= span.step) {
        table.read(database, call.key, &span, |moment, sums| steps.entry(step_of(moment)).or_default().merge(sums))?;
    }
    for (cell, calls) in waiting(database)?.iter().flat_map(|batch| &batch.counts) {
        let moment = Step::Minute.begin(cell.minute);
        if span.contains(moment) && call.key.is_none_or(|key| key == cell.key) {
            steps.entry(step_of(moment)).or_default().count(cell.outcome, cell.scopes, *calls);
        }
    }
    let (outcome, scope) = (query.outcome.map(Code::number), query.scope.map(|scope: Scope| scope.info().bit));
    let points = steps.into_iter().map(|(at, sums)| {
        let (outcomes, scopes) = sums.parts(outcome, scope);
        Point { at, outcomes, scopes }
    });
    Ok(Series { span, points: points.filter(|point| !point.outcomes.is_empty()).collect() })
}

/// When the secrets of keys were last used.
pub fn last_uses(database: &impl Database, call: &ReadLastUses) -> Done<Vec<LastUse>> {
    if call.keys.len() > LAST_USES_MAX {
        return Err(Failure::field("keys", format!("Ask for {LAST_USES_MAX} at a time.")).into());
    }
    let names = serde_json::to_string(&call.keys).map_err(|error| DatabaseError(error.to_string()))?;
    let rows = database.run(
        "SELECT last.key, last.secret, last.at FROM json_each(?) AS wanted CROSS JOIN last_uses AS last \
         ON last.key = wanted.value",
        &[names.into()],
    )?;
    let mut latest: BTreeMap<(Locator, u32), Timestamp> = BTreeMap::new();
    let mut note = |key, secret, at| {
        let last = latest.entry((key, secret)).or_insert(at);
        *last = (*last).max(at);
    };
    for mut row in rows {
        let key = row.text()?.parse().map_err(|_| DatabaseError("not a locator".into()))?;
        let secret = u32::try_from(row.integer()?).map_err(|_| DatabaseError("not the number of a secret".into()))?;
        note(key, secret, Timestamp::from_millis(row.integer()?));
    }
    for last in waiting(database)?.into_iter().flat_map(|batch| batch.last_uses) {
        if call.keys.contains(&last.key) {
            note(last.key, last.secret, last.at);
        }
    }
    Ok(latest.into_iter().map(|((key, secret), at)| LastUse { key, secret, at }).collect())
}
