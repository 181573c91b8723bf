//! The places of secrets: slots, tokens, service accounts, and the words of a refusal about them.

use super::*;

#[test]
fn a_secret_stands_where_the_plugin_says_and_comes_back_blotted() {
    let web = Web::start(|_, request| {
        reply(200, &[&format!("x-echo: {}", request.lines().next().unwrap())], request)
    });
    let url = web.url("/v1/");
    let script = format!(
        "secret key bearer\nGET {url}\nsecret key basic me\nGET {url}\nsecret key header \
             x-api-key\nGET {url}\nsecret key query api_key\nGET {url}?a=1\nsecret pair \
             basic\nGET {url}"
    );
    let settings = Settings::of(&web).key(&url).slot("pair", prints("me:pass-word"), &url);
    let seen = settings.ask(&script).unwrap();
    assert!(seen.starts_with("slots: key,pair\n"), "{seen}");
    let requests = web.seen();
    for (request, expect) in requests.iter().zip([
        "\nauthorization: Bearer s3cr3t/key+1\n",
        // base64 of me:s3cr3t/key+1
        "\nauthorization: Basic bWU6czNjcjN0L2tleSsx\n",
        "\nx-api-key: s3cr3t/key+1\n",
        "GET /v1/?a=1&api_key=s3cr3t%2Fkey%2B1 HTTP",
        // base64 of me:pass-word
        "\nauthorization: Basic bWU6cGFzcy13b3Jk\n",
    ]) {
        assert!(request.contains(expect), "{expect} is not in\n{request}");
    }
    for form in
        [SECRET, "s3cr3t%2Fkey%2B1", "bWU6czNjcjN0L2tleSsx", "bWU6cGFzcy13b3Jk", "pass-word"]
    {
        assert!(!seen.contains(form), "{form} is in\n{seen}");
    }
    assert!(
        seen.contains("authorization: Bearer [secret]\n")
            && seen.contains("x-echo=GET /v1/?a=1&api_key=[secret] HTTP/1.1"),
        "{seen}"
    );
}

#[test]
fn a_secret_goes_nowhere_else() {
    let other = greets();
    let to = other.url("/v1/there");
    let web = Web::start(move |_, request| match request.split(' ').nth(1) {
        Some("/v1/away") => reply(302, &[&format!("location: {to}")], ""),
        Some("/v1/near") => reply(302, &["location: /v1/end"], ""),
        Some("/v1/steal") => reply(302, &[&format!("location: {to}?stolen=s3cr3t/key%2B1")], ""),
        _ => reply(200, &[], "the end"),
    });
    let settings = || {
        let own = [format!("GET {}", web.url("/")), format!("GET {}", other.url("/v1/"))];
        Settings::allow(&own).key(&web.url("/v1/"))
    };
    let seen = settings()
        .ask(&format!(
            "secret key bearer\nGET {}\nsecret key bearer\nGET {}",
            web.url("/v1/away"),
            web.url("/v1/near")
        ))
        .unwrap();
    assert!(seen.contains("hello") && seen.ends_with("the end"), "{seen}");
    assert_eq!(other.seen().len(), 1);
    assert!(!other.seen()[0].contains("authorization"), "{:?}", other.seen());
    let kept = web
        .seen()
        .iter()
        .filter(|request| request.contains("authorization: Bearer s3cr3t/key+1\n"))
        .count();
    assert_eq!(kept, 3);
    // The secret cannot go elsewhere, not even if the plugin names it. The plugin is told, and
    // nothing is sent.
    let before = web.seen().len();
    let diagnostic = settings().refused(&format!("secret key bearer\nGET {}", other.url("/v1/")));
    assert_eq!(diagnostic.code, code::PLUGIN_DENIED, "{diagnostic}");
    assert_eq!(
        diagnostic.message,
        format!("the secret 'key' of source 'bill' may not go to {}", other.url("/v1/"))
    );
    assert_eq!(
        diagnostic.hint_text(),
        Some(format!(
            "[sources.bill.secrets.key]\nfor = [\"{}\", \"{}\"]",
            web.url("/v1/"),
            other.url("/")
        ))
    );
    let outside = settings().refused(&format!("secret key bearer\nGET {}", web.url("/v2/")));
    assert_eq!(
        outside.message,
        format!("the secret 'key' of source 'bill' may not go to {}", web.url("/v2/"))
    );
    assert_eq!((web.seen().len(), other.seen().len()), (before, 1));
    let stolen = settings().refused(&format!("secret key bearer\nGET {}", web.url("/v1/steal")));
    assert!(
        stolen.message.ends_with("with a secret in the URL")
            && !stolen.to_string().contains("s3cr3t"),
        "{stolen}"
    );
    assert_eq!(other.seen().len(), 1);
}

#[test]
fn a_secret_that_is_missing_says_how_to_give_it() {
    let web = greets();
    let url = web.url("/v1/");
    let script = format!("secret key bearer\nGET {url}");
    let root = web.url("/");
    let line = format!("[sources.bill.secrets.key]\nenv = \"KEY\"\nfor = [\"{root}\"]");
    denied(&web, Settings::of(&web), &script, "source 'bill' has no secret 'key'", &line);
    let unset = Settings::of(&web)
        .slot("key", SecretKeeper::Env("NOT_SET_IN_ANY_TEST".into()), &url)
        .refused(&script);
    assert_eq!(unset.code, code::PLUGIN_CONFIG, "{unset}");
    assert_eq!(
        unset.message,
        "the secret 'key' has no value: the environment variable NOT_SET_IN_ANY_TEST is not set"
    );
    assert_eq!(
        unset.hint_text().as_deref(),
        Some(
            "`export NOT_SET_IN_ANY_TEST=…` before the run; \
             its keeper is named in `[sources.bill.secrets.key]`"
        )
    );
    let broken = Settings::of(&web).slot("key", prints("two\nlines"), &url).refused(&script);
    assert!(
        broken.message.ends_with("its value has a line break or another control character in it"),
        "{broken}"
    );
    assert_eq!(web.seen(), Vec::<String>::new());
}

#[test]
fn a_plugin_cannot_say_who_it_is_by_itself() {
    let web = greets();
    let url = web.url("/v1/");
    for (script, words) in [
        (
            format!("header Authorization Bearer guessed\nGET {url}"),
            "a plugin cannot set the header 'Authorization'",
        ),
        (format!("header host other.example\nGET {url}"), "a plugin cannot set the header 'host'"),
        (format!("header cookie a=b\nGET {url}"), "a plugin cannot set the header 'cookie'"),
        (
            format!("header Proxy-Authorization x\nGET {url}"),
            "a plugin cannot set the header 'Proxy-Authorization'",
        ),
        (
            format!("secret key header host\nGET {url}"),
            "the secret 'key' cannot go into the header 'host'",
        ),
        (
            format!("header x-key a\nsecret key header X-Key\nGET {url}"),
            "the secret 'key' cannot go into the header 'X-Key'",
        ),
        (
            format!("secret key query k\nGET {url}?k=1"),
            "the parameter 'k' of the secret 'key' stands in the URL already",
        ),
        (
            "GET http://me:pw@127.0.0.1/".to_owned(),
            "a user or password cannot stand in a URL: secrets have slots",
        ),
    ] {
        let diagnostic = Settings::of(&web).key(&url).refused(&script);
        assert_eq!(diagnostic.code, code::PLUGIN_CONFIG, "{diagnostic}");
        assert!(diagnostic.message.contains(words), "{words} is not in\n{diagnostic}");
    }
    assert_eq!(web.seen(), Vec::<String>::new());
}

#[test]
fn a_token_is_fetched_once_and_renewed_when_it_ends() {
    for (life, fetched) in [("3600", 1), ("0", 2)] {
        let web = Web::start(move |before, request| {
            if request.starts_with("POST /token ") {
                reply(
                    200,
                    &[],
                    format!(
                        "{{\"access_token\": \"token-{before}\", \"expires_in\": {life}, \
                             \"token_type\": \"Bearer\"}}"
                    ),
                )
            } else {
                reply(200, &[], request)
            }
        });
        let url = web.url("/v1/");
        let client = OAuth2 {
            token_url: web.url("/token"),
            client_id: "me".into(),
            client_secret: Box::new(prints(SECRET)),
            scope: Some("a b".into()),
        };
        let settings = Settings::of(&web).slot("key", SecretKeeper::OAuth2(client), &url);
        let seen = settings
            .ask(&format!("secret key bearer\nGET {url}\nsecret key bearer\nGET {url}"))
            .unwrap();
        assert!(
            !seen.contains("token-") && seen.matches("authorization: Bearer [secret]").count() == 2,
            "{seen}"
        );
        let requests = web.seen();
        assert_eq!(
            requests.iter().filter(|request| request.starts_with("POST /token ")).count(),
            fetched
        );
        let form = "\n\ngrant_type=client_credentials&client_id=me&client_secret=s3cr3t%2Fkey%2B1&scope=a+b";
        assert!(
            requests[0].contains("content-type: application/x-www-form-urlencoded\n")
                && requests[0].ends_with(form),
            "{}",
            requests[0]
        );
        assert!(requests[1].contains("authorization: Bearer token-0\n"), "{}", requests[1]);
    }
}

/// A token can end early, because its server forgot it or its key was changed. A token that was
/// good before gets one successor for each request.
#[test]
fn a_token_that_ends_before_its_time_is_renewed_once() {
    let client = |web: &Web| OAuth2 {
        token_url: web.url("/token"),
        client_id: "me".into(),
        client_secret: Box::new(prints(SECRET)),
        scope: None,
    };
    let is_token = |request: &&String| request.starts_with("POST /token ");
    let serve = |accepts: fn(&str) -> bool| {
        Web::start(move |before, request| {
            if request.starts_with("POST /token ") {
                reply(
                    200,
                    &[],
                    format!("{{\"access_token\": \"token-{before}\", \"expires_in\": 3600}}"),
                )
            } else if accepts(request) {
                reply(200, &[], "welcome")
            } else {
                reply(401, &[], "who are you?")
            }
        })
    };
    // The first token is good for the first question only.
    let web = serve(|request| !(request.contains("/v1/b ") && request.contains("token-0")));
    let script = format!(
        "secret key bearer\nGET {}\nsecret key bearer\nGET {}",
        web.url("/v1/a"),
        web.url("/v1/b")
    );
    let seen = Settings::of(&web)
        .slot("key", SecretKeeper::OAuth2(client(&web)), &web.url("/v1/"))
        .ask(&script)
        .unwrap();
    assert_eq!(
        (seen.matches("welcome").count(), seen.matches("who are you?").count()),
        (2, 0),
        "{seen}"
    );
    assert_eq!(web.seen().iter().filter(is_token).count(), 2);
    // A request that is refused with a fresh token is not repeated.
    let web = serve(|_| false);
    let url = web.url("/v1/");
    let seen = Settings::of(&web)
        .slot("key", SecretKeeper::OAuth2(client(&web)), &url)
        .ask(&format!("secret key bearer\nGET {url}"))
        .unwrap();
    assert!(seen.ends_with("who are you?"), "{seen}");
    assert_eq!(web.seen().iter().filter(is_token).count(), 1);
}

#[test]
fn a_token_that_is_refused_is_an_error_without_the_secret() {
    let web = Web::start(|_, request| {
        reply(
            401,
            &[],
            format!(
                "{{\"error\": \"invalid_client\", \"seen\": \"{}\"}}",
                request.lines().last().unwrap()
            ),
        )
    });
    let url = web.url("/v1/");
    let client = OAuth2 {
        token_url: web.url("/token"),
        client_id: "me".into(),
        client_secret: Box::new(prints(SECRET)),
        scope: None,
    };
    let diagnostic = Settings::of(&web)
        .slot("key", SecretKeeper::OAuth2(client), &url)
        .refused(&format!("secret key bearer\nGET {url}"));
    assert_eq!(diagnostic.code, code::PLUGIN_FAILED, "{diagnostic}");
    let words = format!(
        "no token for the secret 'key': {} answered 401: {{\"error\": \"invalid_client\"",
        web.url("/token")
    );
    assert!(
        diagnostic.message.starts_with(&words)
            && diagnostic.message.contains("client_secret=[secret]"),
        "{diagnostic}"
    );
}

/// Runs `openssl`, which checks our signatures.
fn openssl(arguments: &[&str]) -> Vec<u8> {
    let output = std::process::Command::new("openssl").args(arguments).output().expect("openssl");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn a_service_account_of_google_signs_for_its_token_and_its_key_stays_here() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let key = String::from_utf8(openssl(&[
        "genpkey",
        "-algorithm",
        "RSA",
        "-pkeyopt",
        "rsa_keygen_bits:2048",
    ]))
    .unwrap();
    std::fs::write(path("key.pem"), &key).unwrap();
    openssl(&["pkey", "-in", &path("key.pem"), "-pubout", "-out", &path("public.pem")]);
    let web = Web::start(|_, request| {
        if request.starts_with("POST /v1/token ") {
            reply(
                200,
                &[],
                r#"{"access_token": "ya29.secret-token", "expires_in": 3599, "token_type": "Bearer"}"#,
            )
        } else {
            reply(200, &[], request)
        }
    });
    let url = web.url("/v1/costs");
    let escaped = key.replace('\n', "\\n");
    let account = format!(
        r#"{{"type": "service_account", "client_email": "costs@p.iam.example", "private_key_id": "k1", "private_key": "{escaped}", "token_uri": "{}"}}"#,
        web.url("/v1/token")
    );
    std::fs::write(path("account.json"), account).unwrap();
    let keeper = |file: &str| SecretKeeper::GoogleServiceAccount {
        file: path(file).into(),
        scope: "https://www.example/auth/bigquery.readonly".into(),
    };
    let seen = Settings::of(&web)
        .slot("key", keeper("account.json"), &url)
        .ask(&format!("secret key bearer\nGET {url}"))
        .unwrap();
    assert!(!seen.contains("ya29") && seen.contains("authorization: Bearer [secret]"), "{seen}");
    let asked = web.seen();
    assert!(asked[1].contains("authorization: Bearer ya29.secret-token\n"), "{}", asked[1]);
    let assertion = asked[0].rsplit_once("assertion=").map(|(_, rest)| rest.trim()).unwrap();
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let mut padded = signature.replace('-', "+").replace('_', "/");
    padded.push_str(&"=".repeat((4 - padded.len() % 4) % 4));
    std::fs::write(path("signature.b64"), padded).unwrap();
    std::fs::write(path("signed"), signed).unwrap();
    openssl(&["base64", "-d", "-A", "-in", &path("signature.b64"), "-out", &path("signature")]);
    let verified = openssl(&[
        "dgst",
        "-sha256",
        "-verify",
        &path("public.pem"),
        "-signature",
        &path("signature"),
        &path("signed"),
    ]);
    assert_eq!(String::from_utf8_lossy(&verified).trim(), "Verified OK");
    std::fs::write(
        path("broken.json"),
        r#"{"client_email": "a", "private_key": "none", "token_uri": "not a url"}"#,
    )
    .unwrap();
    let refused = Settings::of(&web)
        .slot("key", keeper("broken.json"), &url)
        .refused(&format!("secret key bearer\nGET {url}"));
    assert!(refused.message.contains("broken.json has no good token_uri"), "{refused}");
}
