//! The definitions endpoint on loopback: whoever asks gets the document published last, and is remembered to have had it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// `served` is the version that the SDK has fetched, `agent` how it named itself.
#[derive(Default)]
struct Document {
    version: u64,
    served: u64,
    body: String,
    agent: String,
}

pub struct Endpoint {
    pub address: String,
    document: Arc<Mutex<Document>>,
}

impl Endpoint {
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = format!("http://{}", listener.local_addr()?);
        let document = Arc::new(Mutex::new(Document::default()));
        let shown = document.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shown = shown.clone();
                // A connection that breaks is the SDK's business: it then has not fetched the document, and `load` says so.
                thread::spawn(move || serve(stream, &shown));
            }
        });
        Ok(Endpoint { address, document })
    }

    /// Show another document; return its version.
    pub fn publish(&self, body: &str) -> u64 {
        let mut document = self.document.lock().unwrap();
        document.version += 1;
        document.body = body.to_string();
        document.version
    }

    pub fn served(&self) -> u64 {
        self.document.lock().unwrap().served
    }

    pub fn agent(&self) -> String {
        self.document.lock().unwrap().agent.clone()
    }
}

/// Answer one connection's requests until it ends.
fn serve(stream: TcpStream, document: &Mutex<Document>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut sink = stream.try_clone()?;
    let mut source = BufReader::new(stream);
    while let Some(request) = Request::read(&mut source)? {
        let body = {
            let mut document = document.lock().unwrap();
            document.served = document.version;
            document.agent = request.agent;
            document.body.clone()
        };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        sink.write_all((head + &body).as_bytes())?;
    }
    Ok(())
}

struct Request {
    agent: String,
}

impl Request {
    /// Read a request, body and all; None at the end of the connection.
    fn read(source: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let (mut length, mut agent) = (0, String::new());
        loop {
            let mut line = String::new();
            if source.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            if line.trim_end().is_empty() {
                break;
            }
            let (name, value) = line.trim_end().split_once(": ").unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().map_err(io::Error::other)?,
                "user-agent" => agent = value.to_string(),
                _ => {}
            }
        }
        io::copy(&mut source.by_ref().take(length), &mut io::sink())?;
        Ok(Some(Request { agent }))
    }
}
