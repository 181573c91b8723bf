//! A small server in this process: it gives the answers of a test, and remembers the requests.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

pub struct Web {
    scheme: &'static str,
    pub port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

/// Makes the bytes of an answer from the number of earlier requests and the request. With `None`,
/// the server says nothing until the other side hangs up.
type Answer = dyn Fn(usize, &str) -> Option<Vec<u8>> + Send + Sync;

/// A connection, as it is or wrapped in TLS.
trait Line: Read + Write {}
impl<T: Read + Write> Line for T {}
type Wrap = dyn Fn(TcpStream) -> Box<dyn Line> + Send + Sync;

impl Web {
    pub fn start(answer: impl Fn(usize, &str) -> Option<Vec<u8>> + Send + Sync + 'static) -> Web {
        Web::wrapped("http", |stream| Box::new(stream), answer)
    }

    /// Starts a server with TLS and a certificate for 127.0.0.1. Its signer is `ca.pem` in the
    /// folder.
    pub fn encrypted(
        folder: &Path,
        answer: impl Fn(usize, &str) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Web {
        let openssl = |words: &str| {
            let output = Command::new("openssl")
                .args(words.split(' '))
                .current_dir(folder)
                .output()
                .expect("openssl");
            assert!(
                output.status.success(),
                "{words}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
        openssl(&format!(
            "req -x509 {key} -subj /CN=signer -keyout ca.key -out ca.pem \
             -addext keyUsage=keyCertSign"
        ));
        let leaf = "-addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE";
        openssl(&format!(
            "req -x509 {key} -subj /CN=server -keyout server.key -out server.pem \
             -CA ca.pem -CAkey ca.key {leaf}"
        ));
        let certificates = CertificateDer::pem_file_iter(folder.join("server.pem"))
            .expect("a file")
            .map(|read| read.expect("PEM"))
            .collect();
        let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).expect("a key");
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(
            rustls::crypto::ring::default_provider(),
        ));
        let config = config
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_no_client_auth();
        let config = Arc::new(
            config.with_single_cert(certificates, key).expect("a certificate with its key"),
        );
        let wrap = move |stream| -> Box<dyn Line> {
            let connection =
                rustls::ServerConnection::new(Arc::clone(&config)).expect("a connection");
            Box::new(rustls::StreamOwned::new(connection, stream))
        };
        Web::wrapped("https", wrap, answer)
    }

    fn wrapped(
        scheme: &'static str,
        wrap: impl Fn(TcpStream) -> Box<dyn Line> + Send + Sync + 'static,
        answer: impl Fn(usize, &str) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Web {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (remembered, answer, wrap): (_, Arc<Answer>, Arc<Wrap>) =
            (Arc::clone(&seen), Arc::new(answer), Arc::new(wrap));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, answer, wrap) =
                    (Arc::clone(&remembered), Arc::clone(&answer), Arc::clone(&wrap));
                std::thread::spawn(move || serve(wrap(stream), &seen, &*answer));
            }
        });
        Web { scheme, port, seen }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}://127.0.0.1:{}{path}", self.scheme, self.port)
    }

    /// The requests so far: lines of the head with names in lower case, an empty one, the body.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("no test panics in here").clone()
    }
}

fn serve(line: Box<dyn Line>, seen: &Mutex<Vec<String>>, answer: &Answer) {
    let mut line = BufReader::new(line);
    let Some(request) = read(&mut line) else {
        // A request that is not HTTP gets an answer too, as from other servers.
        return drop(
            line.get_mut().write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"),
        );
    };
    let before = {
        let mut seen = seen.lock().expect("no test panics in here");
        seen.push(request.clone());
        seen.len() - 1
    };
    match answer(before, &request) {
        // The other side may have hung up on purpose.
        Some(bytes) => drop(line.get_mut().write_all(&bytes).and_then(|()| line.get_mut().flush())),
        None => drop(line.read_to_end(&mut Vec::new())),
    }
}

fn read(line: &mut BufReader<Box<dyn Line>>) -> Option<String> {
    let mut request = String::new();
    let mut length = 0;
    loop {
        let mut header = String::new();
        if line.read_line(&mut header).ok()? == 0 {
            return None;
        }
        let header = header.trim_end();
        if header.is_empty() {
            break;
        }
        match header.split_once(": ") {
            Some((name, value)) if !request.is_empty() => {
                let name = name.to_ascii_lowercase();
                if name == "content-length" {
                    length = value.parse().ok()?;
                }
                request.push_str(&format!("{name}: {value}\n"));
            }
            _ => request.push_str(&format!("{header}\n")),
        }
    }
    let mut body = vec![0; length];
    line.read_exact(&mut body).ok()?;
    Some(format!("{request}\n{}", String::from_utf8_lossy(&body)))
}

/// An answer with a status, headers of lines `name: value`, and a body.
pub fn reply(status: u16, headers: &[&str], body: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    let body = body.as_ref();
    let mut bytes =
        format!("HTTP/1.1 {status} so\r\nconnection: close\r\ncontent-length: {}\r\n", body.len())
            .into_bytes();
    for header in headers {
        bytes.extend_from_slice(format!("{header}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    Some(bytes)
}
