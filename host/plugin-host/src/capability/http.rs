//! The power `http`: requests that the operator allows. `reach` checks and sends them.

use super::State;
use crate::power::Power;
use crate::wit::bindings::{http as wit, types};
use reach::http as host;

fn request(request: wit::Request) -> host::HttpRequest {
    let place = |place: wit::Place| match place {
        wit::Place::Bearer => host::SecretPlace::Bearer,
        wit::Place::Basic(user) => host::SecretPlace::Basic(user),
        wit::Place::Header(name) => host::SecretPlace::Header(name),
        wit::Place::Query(name) => host::SecretPlace::Query(name),
    };
    host::HttpRequest {
        method: match request.method {
            wit::Method::Get => host::HttpMethod::Get,
            wit::Method::Head => host::HttpMethod::Head,
            wit::Method::Post => host::HttpMethod::Post,
        },
        url: request.url,
        headers: request.headers.into_iter().map(|header| (header.name, header.value)).collect(),
        secrets: request
            .secrets
            .into_iter()
            .map(|secret| (secret.slot, place(secret.place)))
            .collect(),
        body: request.body,
        repeatable: request.repeatable,
    }
}

impl wit::Host for State {
    fn send(
        &mut self,
        asked: wit::Request,
    ) -> wasmtime::Result<Result<wit::Response, types::Error>> {
        let http = self.clients.http.clone();
        self.reach_out(Power::Http, http, |http| {
            let response = http.send(&request(asked))?;
            let headers = response
                .headers
                .into_iter()
                .map(|(name, value)| wit::Header { name, value })
                .collect();
            Ok(wit::Response { status: response.status, headers, body: response.body })
        })
    }

    fn slots(&mut self) -> wasmtime::Result<Vec<String>> {
        self.count_call()?;
        Ok(self.clients.http.as_ref().map(|http| http.slots()).unwrap_or_default())
    }
}
