//! The processes of a deployment, read from Linux's `/proc`.

use std::{collections::HashSet, fs};

/// Returns a process and all its descendants.
pub fn descendants(pid: u32) -> Vec<u32> {
    let parent = |pid: u32| stat(pid, 1).and_then(|parent| u32::try_from(parent).ok());
    let all: Vec<u32> =
        fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let mut found = vec![pid];
    loop {
        let more: Vec<u32> = all
            .iter()
            .copied()
            .filter(|pid| !found.contains(pid) && parent(*pid).is_some_and(|parent| found.contains(&parent)))
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

/// Returns the CPU time of a process and all its descendants, in hundredths of a second.
pub fn processor_time(pid: u32) -> u64 {
    let [user, system] = [11, 12];
    descendants(pid).into_iter().flat_map(|pid| [stat(pid, user), stat(pid, system)]).flatten().sum()
}

/// Reads a number about a process by its place after the name in `/proc/PID/stat`.
fn stat(pid: u32, place: usize) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(place)?.parse().ok()
}

/// Returns the ports on which a process and all its descendants listen.
pub fn listening(pid: u32) -> Vec<u16> {
    let sockets: HashSet<String> = descendants(pid)
        .into_iter()
        .flat_map(|pid| fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten())
        .filter_map(|entry| {
            fs::read_link(entry.path()).ok()?.to_str()?.strip_prefix("socket:[")?.strip_suffix(']').map(str::to_owned)
        })
        .collect();
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    table
        .lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            // 0A is the state of a listening socket.
            (words.get(3) == Some(&"0A") && sockets.contains(*words.get(9)?)).then_some(())?;
            u16::from_str_radix(words.get(1)?.split_once(':')?.1, 16).ok()
        })
        .collect()
}
