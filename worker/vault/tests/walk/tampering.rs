//! Tampering with the trail: every kind of it is detected.

use super::{Walk, random::SeededRng, trail};
use crate::database::{Database, memory::MemoryDatabase};
use ownchat_domain::audit::{Flaw, Line, seal, verify};

/// Verifies the lines in the database.
fn found(database: &MemoryDatabase) -> Result<(u64, String), Flaw> {
    verify(trail(database).iter().map(String::as_str))
}

fn write(database: &MemoryDatabase, number: usize, line: &str) {
    let number = i64::try_from(number).unwrap();
    database.run("UPDATE trail SET line = ? WHERE sequence = ?", &[line.into(), number.into()]).unwrap();
}

/// Replaces one character of a line.
fn altered(line: &str, rng: &mut SeededRng) -> String {
    let mut characters: Vec<char> = line.chars().collect();
    let index = rng.index(characters.len());
    let others: Vec<char> = "aZ0 \",:}é".chars().filter(|other| *other != characters[index]).collect();
    characters[index] = rng.pick(&others);
    characters.into_iter().collect()
}

/// Forges a line, with a matching hash.
fn forged(line: &str, rng: &mut SeededRng) -> String {
    let mut forged: Line = serde_json::from_str(line).unwrap();
    match rng.below(3) {
        0 => forged.actor_name = "Eve".into(),
        1 => forged.at = forged.at.moment().plus(1).into(),
        _ => (forged.before, forged.after) = (forged.after.clone(), Some(serde_json::from_str("{}").unwrap())),
    }
    seal(&forged).0
}

/// Tampers with a whole trail several times in every way, and restores it.
pub fn is_found(walk: &mut Walk) {
    let (database, rng) = (&walk.database, &mut walk.rng);
    let whole = trail(database);
    let good = verify(whole.iter().map(String::as_str)).unwrap();
    for _ in 0..10 {
        // Not the last two lines, so that others follow.
        let index = rng.index(whole.len() - 2);
        let (number, count) = (index + 1, index as u64 + 1);
        let (line, next) = (&whole[index], &whole[index + 1]);

        write(database, number, &altered(line, rng));
        let flaw = found(database).unwrap_err();
        assert!(matches!(flaw, Flaw::Altered(at) | Flaw::Unreadable(at) if at == count), "{flaw:?} at {count}");

        write(database, number, &forged(line, rng));
        assert_eq!(found(database), Err(Flaw::Broken(count + 1)), "rewritten");

        write(database, number, next);
        write(database, number + 1, line);
        assert_eq!(found(database), Err(Flaw::Misplaced { line: count, found: count + 1 }), "moved");
        write(database, number, line);
        write(database, number + 1, next);

        let mut lines: Vec<&str> = whole.iter().map(String::as_str).collect();
        lines.remove(index);
        assert_eq!(verify(lines), Err(Flaw::Misplaced { line: count, found: count + 1 }), "removed");

        let mut lines: Vec<&str> = whole.iter().map(String::as_str).collect();
        lines.insert(index, line);
        assert_eq!(verify(lines), Err(Flaw::Misplaced { line: count + 1, found: count }), "inserted");
    }
    assert_eq!(found(database).as_ref(), Ok(&good), "everything is restored");
    // A removed or forged last line changes only count and hash of the head.
    let last = whole.len();
    let at = i64::try_from(last).unwrap();
    write(database, last, &forged(&whole[last - 1], rng));
    let (count, head) = found(database).unwrap();
    assert!(count == good.0 && head != good.1);
    database.run("DELETE FROM trail WHERE sequence = ?", &[at.into()]).unwrap();
    assert_eq!(found(database).unwrap().0, good.0 - 1);
}
