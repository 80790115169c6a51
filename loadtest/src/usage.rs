//! What a process has used, as the kernel counts it.

use anyhow::Context as _;
use std::path::Path;
use tokio::process::Command;

/// Ticks of `/proc/PID/stat` in a second, on every Linux that is built today.
const TICKS: f64 = 100.0;

/// CPU and memory of one process or the sum of several.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Usage {
    /// Seconds, in the kernel and out of it.
    pub(crate) cpu: f64,
    /// Of those, in the kernel.
    pub(crate) system: f64,
    /// Kilobytes that are resident.
    pub(crate) resident: f64,
    /// Kilobytes that are its own: what it would give back.
    pub(crate) private: f64,
}

impl Usage {
    pub(crate) fn own() -> anyhow::Result<Self> {
        Self::of(std::process::id())
    }

    /// Of processes together.
    pub(crate) fn sum(pids: &[u32]) -> anyhow::Result<Self> {
        let mut sum = Self::default();
        for pid in pids {
            let one = Self::of(*pid)?;
            sum.cpu += one.cpu;
            sum.system += one.system;
            sum.resident += one.resident;
            sum.private += one.private;
        }
        Ok(sum)
    }

    fn of(pid: u32) -> anyhow::Result<Self> {
        let read = |file: &str| {
            let path = format!("/proc/{pid}/{file}");
            std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))
        };
        let stat = read("stat")?;
        // The name before may hold spaces and brackets.
        let (_, fields) = stat.rsplit_once(')').context("a name in brackets")?;
        let field = |n: usize| fields.split_whitespace().nth(n)?.parse::<f64>().ok();
        let user = field(11).context("its user time")? / TICKS;
        let system = field(12).context("its system time")? / TICKS;
        let rollup = read("smaps_rollup")?;
        let kilobytes = |name: &str| {
            let line = rollup.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        };
        Ok(Self {
            cpu: user + system,
            system,
            resident: kilobytes("Rss:").context("its memory")?,
            private: kilobytes("Private_Dirty:").context("its memory")?,
        })
    }

    /// What came since then.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            cpu: self.cpu - before.cpu,
            system: self.system - before.system,
            resident: self.resident - before.resident,
            private: self.private - before.private,
        }
    }
}

/// A program that ends when this one does, even killed; on a core of its own, or wherever the kernel likes.
pub(crate) fn command(core: Option<usize>, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if let Some(core) = core {
        command.args(["taskset", "-c", &core.to_string()]);
    }
    command.arg(program);
    command
}
