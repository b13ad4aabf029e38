//! A browser without a window, driven by chromedriver over the WebDriver protocol (W3C 2018): JSON
//! over HTTP on this machine, for which a socket is enough.
#![allow(dead_code, reason = "each test file uses a part of it")]

mod page;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub(crate) use page::{assert_quiet, lines, page};

/// Where this is set, a missing browser is a failure and not a reason to skip.
const REQUIRED: &str = "RNN_REQUIRE_BROWSER";
/// Where this is set, the page is not tested: a browser is installed, but cannot start.
const REFUSED: &str = "RNN_NO_BROWSER";

/// Far longer than a page takes to draw, on a machine that has other things to do as well.
const LIMIT: Duration = Duration::from_secs(240);

/// A page in a browser, closed when dropped.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

/// The first of these programs on the path.
fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let all = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    all.into_iter().find(|file| file.is_file())
}

impl Browser {
    /// A browser; or `None`, said on standard error, where none is installed.
    pub(crate) fn start() -> Option<Self> {
        let driver = find(&["chromedriver"]).filter(|_| std::env::var_os(REFUSED).is_none());
        let binary = find(&["chromium", "chromium-browser", "google-chrome", "chrome"]);
        let (Some(driver), Some(binary)) = (driver, binary) else {
            assert!(
                std::env::var_os(REQUIRED).is_none(),
                "{REQUIRED} is set, and chromedriver or chromium is missing"
            );
            // Straight to the terminal: what a passing test prints is not shown.
            let _ = writeln!(
                io::stderr(),
                "SKIPPED: the page is not tested, as there is no chromedriver with a working chromium \
                 here (Debian: apt-get install chromium chromium-driver)"
            );
            return None;
        };
        let mut driver = Command::new(driver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let mut lines = BufReader::new(driver.stdout.take().expect("a pipe")).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let rest = line.split_once("successfully on port ")?.1;
            rest.trim_end_matches('.').parse().ok()
        });
        // Nobody reads on, and the driver must not stop at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let mut browser = Browser {
            driver,
            port: port.expect("a port"),
            session: String::new(),
        };
        let capabilities = json!({
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "goog:chromeOptions": {
                "binary": binary,
                "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--window-size=1200,900"],
            },
        });
        let opened = browser.send(
            "POST",
            "/session",
            &json!({ "capabilities": { "alwaysMatch": capabilities } }),
        );
        browser.session = format!(
            "/session/{}",
            opened["sessionId"].as_str().expect("a session")
        );
        Some(browser)
    }

    /// One command; the value of its answer.
    #[track_caller]
    fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let value = self
            .exchange(method, path, body)
            .expect("chromedriver answers");
        assert!(value.get("error").is_none(), "{method} {path}: {value}");
        value
    }

    fn exchange(&self, method: &str, path: &str, body: &Value) -> io::Result<Value> {
        let body = if method == "POST" {
            body.to_string()
        } else {
            String::new()
        };
        let mut socket = TcpStream::connect(("127.0.0.1", self.port))?;
        socket.set_read_timeout(Some(LIMIT))?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        socket.write_all((head + &body).as_bytes())?;
        let mut reader = BufReader::new(socket);
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line)? > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            line.clear();
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer)?;
        let mut answer: Value = serde_json::from_slice(&answer)?;
        Ok(answer["value"].take())
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        self.send("POST", &format!("{}{path}", self.session), body)
    }

    /// A command of the browser's own protocol.
    #[track_caller]
    fn devtools(&self, command: &str, params: &Value) -> Value {
        self.post(
            "/goog/cdp/execute",
            &json!({ "cmd": command, "params": params }),
        )
    }

    /// Opens a page from disk and waits until all of its panels are drawn.
    #[track_caller]
    pub(crate) fn open(&self, file: &Path) {
        self.post(
            "/url",
            &json!({ "url": format!("file://{}", file.display()) }),
        );
        self.wait_for("return document.body.dataset.ready === 'yes'");
    }

    /// Waits until a script returns true.
    #[track_caller]
    pub(crate) fn wait_for(&self, script: &str) {
        let started = Instant::now();
        while self.run(script) != Value::Bool(true) {
            assert!(started.elapsed() < LIMIT, "never true: {script}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs a script in the page and gives what it returns.
    #[track_caller]
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Moves the pointer to the middle of what a script returns.
    #[track_caller]
    pub(crate) fn hover(&self, element: &str) {
        let origin = self.run(&format!("const e = {element}; e.scrollIntoView({{ block: 'center', behavior: 'instant' }}); return e"));
        self.post(
            "/actions",
            &json!({ "actions": [{
            "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" },
            "actions": [{ "type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": origin }],
        }] }),
        );
    }

    /// Types into what has the focus; arrows and the like by their WebDriver code points.
    #[track_caller]
    pub(crate) fn keys(&self, text: &str) {
        let strokes: Vec<Value> = text
            .chars()
            .flat_map(|key| {
                ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }))
            })
            .collect();
        self.post(
            "/actions",
            &json!({ "actions": [{ "type": "key", "id": "keys", "actions": strokes }] }),
        );
    }

    /// Sets the size of the window, and whether the reader prefers dark colours.
    #[track_caller]
    pub(crate) fn look(&self, width: u32, is_dark: bool) {
        let size =
            json!({ "width": width, "height": 850, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let scheme = if is_dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", &media);
    }

    /// What a screen reader is told: the role and the name of everything.
    #[track_caller]
    pub(crate) fn accessibility_tree(&self) -> Vec<(String, String)> {
        let tree = self.devtools("Accessibility.getFullAXTree", &json!({}));
        let nodes = tree["nodes"].as_array().expect("nodes").iter();
        let nodes = nodes.filter(|node| node["ignored"] == false);
        let word = |value: &Value| value["value"].as_str().unwrap_or_default().to_owned();
        nodes
            .map(|node| (word(&node["role"]), word(&node["name"])))
            .collect()
    }

    /// What the page has complained of since this was last asked.
    #[track_caller]
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().expect("a log").iter();
        entries.map(|entry| entry["message"].to_string()).collect()
    }

    /// The addresses that were asked for since this was last asked.
    #[track_caller]
    pub(crate) fn requests(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({ "type": "performance" }));
        let messages = log.as_array().expect("a log").iter().map(|entry| {
            let text = entry["message"].as_str().expect("a message");
            serde_json::from_str::<Value>(text).expect("JSON")
        });
        messages
            .filter(|event| event["message"]["method"] == "Network.requestWillBeSent")
            .map(|event| {
                event["message"]["params"]["request"]["url"]
                    .as_str()
                    .expect("a URL")
                    .to_owned()
            })
            .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // After a failed test as well: it is the driver that ends the browser.
        let _ = self.exchange("DELETE", &self.session, &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
