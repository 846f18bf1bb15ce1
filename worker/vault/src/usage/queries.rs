//! Queries of usage: counts over time, and last uses.

use super::{
    batches::pending,
    table::{DAYS, HOURS, MINUTES},
};
use crate::{
    database::{Database, DatabaseError},
    rpc::CommandResult,
};
use ownchat_domain::{
    failure::Failure,
    scope::Scope,
    time::Timestamp,
    usage::{LastUse, Series, Span, Step, Sums, latest},
    vault::usage::{LAST_USES_MAX, ReadLastUses, ReadUsage},
    verdict::Code,
};

/// Returns counts over time.
pub fn usage(database: &impl Database, command: &ReadUsage, now: Timestamp) -> CommandResult<Series> {
    let query = &command.query;
    let span = Span::of(query.from, query.to, query.step, now)?;
    let mut sums = Sums::default();
    // Oldest first, so that most sums are appended.
    for table in [DAYS, HOURS, MINUTES].into_iter().filter(|table| table.step <= span.step) {
        table.read(database, command.key, &span, |moment, sum| sums.add(span.step.number(moment), sum))?;
    }
    for (cell, calls) in pending(database)?.iter().flat_map(|batch| &batch.counts) {
        let moment = Step::Minute.begin(cell.minute);
        if span.contains(moment) && command.key.is_none_or(|key| key == cell.key) {
            sums.count(span.step.number(moment), cell.outcome, cell.scopes, *calls);
        }
    }
    let (outcome, scope) = (query.outcome.map(Code::number), query.scope.map(|scope: Scope| scope.info().bit));
    Ok(Series { span, points: sums.points(outcome, scope, |step| span.step.begin(step)) })
}

/// Returns the last uses of the secrets of these keys.
pub fn last_uses(database: &impl Database, command: &ReadLastUses) -> CommandResult<Vec<LastUse>> {
    if command.keys.len() > LAST_USES_MAX {
        return Err(Failure::field("keys", format!("Ask for {LAST_USES_MAX} at a time.")).into());
    }
    let names = serde_json::to_string(&command.keys).map_err(|error| DatabaseError(error.to_string()))?;
    let rows = database.run(
        "SELECT last.key, last.secret, last.at FROM json_each(?) AS wanted CROSS JOIN last_uses AS last \
         ON last.key = wanted.value",
        &[names.into()],
    )?;
    let mut uses = Vec::with_capacity(rows.len());
    for mut row in rows {
        let key = row.text()?.parse().map_err(|_| DatabaseError("not a locator".into()))?;
        let secret = u32::try_from(row.integer()?).map_err(|_| DatabaseError("not the number of a secret".into()))?;
        uses.push(LastUse { key, secret, at: Timestamp::from_millis(row.integer()?) });
    }
    let pending = pending(database)?.into_iter().flat_map(|batch| batch.last_uses);
    uses.extend(pending.filter(|last| command.keys.contains(&last.key)));
    Ok(latest(uses))
}
