//! What other people's files, machines and fingers do to the program, one kind of trouble a module.
//!
//! Each module goes through all cases of its kind instead of a list of those that went wrong once.
//! What takes minutes is `#[ignore]`d and run with `-- --ignored`.
#![cfg(target_os = "linux")]

#[path = "../cli_support/mod.rs"]
mod cli_support;
#[path = "../fault_support/mod.rs"]
mod fault_support;
#[path = "../webdriver/mod.rs"]
mod webdriver;

mod agreement;
mod clock;
mod commands;
mod disks;
mod endless;
mod faults;
mod flags;
mod folders;
mod kills;
mod kinds;
mod limits;
mod memory;
mod names;
mod outputs;
mod overflow;
mod page;
mod page_numbers;
mod page_scripts;
mod power;
mod shown;
mod snapshot;
mod surroundings;
mod tails;
mod terminal;
