//! The built binary as a person uses it: one module a command or a topic.

#[path = "../cli_support/mod.rs"]
mod cli_support;
#[path = "../webdriver/mod.rs"]
mod webdriver;

mod bad_input;
mod demo;
mod fuzz_arguments;
mod import;
mod interrupted;
mod layout;
mod length;
mod live;
mod misuse;
mod model;
mod records;
mod refusals;
mod reports;
mod resume;
mod sample;
mod saving;
mod score;
mod texts;
mod train;
mod view;
mod view_browser;
mod view_model;
