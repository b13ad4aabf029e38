//! What memory the system has left for this process.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// Where the system tells; tests have folders of their own.
pub(super) struct System<'a> {
    /// `/proc`
    pub(super) proc: &'a Path,
    /// `/sys/fs/cgroup`
    pub(super) groups: &'a Path,
}

/// How a version of control groups names its files.
struct Version {
    /// Folders below `/sys/fs/cgroup` where its groups may lie.
    roots: &'static [&'static str],
    limit: &'static str,
    usage: &'static str,
    /// Pages of files that can be given back, in the group and those below; the first name counts.
    files: &'static [&'static str],
}

const FIRST: Version = Version {
    roots: &["memory"],
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    files: &["total_inactive_file", "inactive_file"],
};
const SECOND: Version = Version {
    // The second where both versions are in use.
    roots: &["", "unified"],
    limit: "memory.max",
    usage: "memory.current",
    files: &["inactive_file"],
};

impl System<'_> {
    /// The least of what the machine, a limit on addresses and the control groups leave; `None` where
    /// none of them tells.
    pub(super) fn available(&self) -> Option<u64> {
        [self.of_machine(), self.of_process(), self.of_groups()]
            .into_iter()
            .flatten()
            .min()
    }

    fn of_machine(&self) -> Option<u64> {
        Some(field(&self.proc.join("meminfo"), "MemAvailable:")? * 1024)
    }

    /// What a limit on the address space (`ulimit -v`) leaves.
    pub(super) fn of_process(&self) -> Option<u64> {
        let limits = fs::read_to_string(self.proc.join("self/limits")).ok()?;
        let line = limits
            .lines()
            .find_map(|line| line.strip_prefix("Max address space"))?;
        let limit: u64 = line.split_whitespace().next()?.parse().ok()?;
        let used = field(&self.proc.join("self/status"), "VmSize:")? * 1024;
        Some(limit.saturating_sub(used))
    }

    /// What the control groups of this process and all groups above them leave, of either version.
    fn of_groups(&self) -> Option<u64> {
        let groups = fs::read_to_string(self.proc.join("self/cgroup")).ok()?;
        let mut least = None;
        for line in groups.lines() {
            let mut parts = line.splitn(3, ':');
            let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
            let version = match controllers {
                "" => SECOND,
                list if list.split(',').any(|name| name == "memory") => FIRST,
                _ => continue,
            };
            for root in version.roots {
                let root = self.groups.join(root);
                least = least.into_iter().chain(version.left(&root, path)).min();
            }
        }
        least
    }
}

impl Version {
    /// What is left in the group at `path` and in each above it, up to `root`. A container may not see
    /// the upper ones, or see its own as the root.
    fn left(&self, root: &Path, path: &str) -> Option<u64> {
        let names = Path::new(path).components();
        let group: PathBuf = std::iter::once(root.as_os_str())
            .chain(names.filter_map(|name| match name {
                Component::Normal(name) => Some(name),
                _ => None,
            }))
            .collect();
        group
            .ancestors()
            .take_while(|folder| folder.starts_with(root))
            .filter_map(|folder| self.left_in(folder))
            .min()
    }

    fn left_in(&self, folder: &Path) -> Option<u64> {
        let number = |name| -> Option<u64> {
            let text = fs::read_to_string(folder.join(name)).ok()?;
            // `max` is no number and no limit.
            text.trim().parse().ok()
        };
        let (limit, usage) = (number(self.limit)?, number(self.usage)?);
        let stat = folder.join("memory.stat");
        let files = self.files.iter().find_map(|name| field(&stat, name));
        // Pages of files are given back when they are needed.
        Some(limit.saturating_sub(usage.saturating_sub(files.unwrap_or(0))))
    }
}

/// The number after a name at the start of a line.
fn field(file: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let mut lines = text.lines().map(str::split_whitespace);
    lines.find_map(|mut words| (words.next()? == name).then(|| words.next()?.parse().ok())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A machine with 64 GB, described by files at these paths.
    struct Machine(TempDir);

    impl Machine {
        fn new(cgroup: &str) -> Self {
            let machine = Machine(tempfile::tempdir().unwrap());
            machine.write("proc/meminfo", "MemTotal: 9\nMemAvailable: 64000000 kB\n");
            machine.write("proc/self/cgroup", cgroup);
            machine
        }

        fn write(&self, path: &str, content: &str) -> &Self {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
            self
        }

        /// A group of the first version.
        fn first(&self, group: &str, limit: u64, usage: u64, files: &str) -> &Self {
            let folder = format!("groups/memory/{group}");
            self.write(
                &format!("{folder}/memory.limit_in_bytes"),
                &limit.to_string(),
            )
            .write(
                &format!("{folder}/memory.usage_in_bytes"),
                &usage.to_string(),
            )
            .write(&format!("{folder}/memory.stat"), files)
        }

        /// A group of the second, below `root`.
        fn second(&self, root: &str, group: &str, limit: &str, usage: u64, files: &str) -> &Self {
            let folder = format!("groups/{root}/{group}");
            self.write(&format!("{folder}/memory.max"), &format!("{limit}\n"))
                .write(&format!("{folder}/memory.current"), &format!("{usage}\n"))
                .write(&format!("{folder}/memory.stat"), files)
        }

        fn available(&self) -> Option<u64> {
            let folder = |name: &str| self.0.path().join(name);
            let (proc, groups) = (folder("proc"), folder("groups"));
            let system = System {
                proc: &proc,
                groups: &groups,
            };
            system.available()
        }
    }

    const UNLIMITED: u64 = 9_223_372_036_854_771_712;

    #[test]
    fn a_limit_on_any_group_above_counts_in_the_first_version() {
        let machine = Machine::new("9:cpu,cpuacct:/jobs\n4:memory:/jobs/42/step\n0::/\n");
        machine.first("jobs/42/step", UNLIMITED, 1_000, "");
        assert_eq!(machine.available(), Some(64_000_000 * 1024));
        machine.first("jobs/42", UNLIMITED, 9_000, "");
        // Its files and those of the groups below it can go.
        machine.first(
            "jobs",
            10_000,
            9_000,
            "inactive_file 1\ntotal_inactive_file 500\n",
        );
        assert_eq!(machine.available(), Some(1_500));
        machine.first("", 9_700, 9_500, "");
        assert_eq!(machine.available(), Some(200));
        machine.first("jobs/42/step", 1_100, 1_000, "inactive_file 7\n");
        assert_eq!(machine.available(), Some(107));
    }

    #[test]
    fn a_limit_on_any_group_above_counts_in_the_second_version() {
        for root in ["", "unified"] {
            let machine = Machine::new("0::/user.slice/job.scope\n");
            machine.second(root, "user.slice/job.scope", "max", 1_000, "");
            assert_eq!(machine.available(), Some(64_000_000 * 1024));
            machine.second(
                root,
                "user.slice",
                "10000",
                9_000,
                "anon 1\ninactive_file 500\n",
            );
            assert_eq!(machine.available(), Some(1_500), "{root}");
            machine.second(root, "user.slice/job.scope", "1100", 1_000, "");
            assert_eq!(machine.available(), Some(100), "{root}");
            machine.second(root, "user.slice", "9000", 9_500, "");
            assert_eq!(machine.available(), Some(0), "{root}");
        }
    }

    #[test]
    fn groups_that_cannot_be_seen_are_no_limit() {
        // Of a container: the path is that outside.
        let machine = Machine::new("4:memory:/docker/0123\n0::/../../other\n");
        assert_eq!(machine.available(), Some(64_000_000 * 1024));
        machine.first("", 5_000, 1_000, "");
        assert_eq!(machine.available(), Some(4_000));
        machine.write("proc/self/cgroup", "no group at all");
        assert_eq!(machine.available(), Some(64_000_000 * 1024));
    }

    #[test]
    fn a_limit_of_the_address_space_counts() {
        let machine = Machine::new("");
        machine.write("proc/self/status", "Name: x\nVmSize:     1000 kB\n");
        let limits = |limit: &str| {
            format!("Limit  Soft  Hard\nMax address space   {limit}  unlimited bytes\n")
        };
        machine.write("proc/self/limits", &limits("unlimited"));
        assert_eq!(machine.available(), Some(64_000_000 * 1024));
        machine.write("proc/self/limits", &limits("2048000"));
        assert_eq!(machine.available(), Some(1_024_000));
        machine.write("proc/self/limits", &limits("2048"));
        assert_eq!(machine.available(), Some(0));
    }
}
