//! Addresses that may be connected to: the public internet, and networks that the operator grants.
//!
//! The check sits in the resolver of names. So the address that was checked is the address that is
//! connected to, even if the name has another address a moment later.

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use url::{Host, Url};

/// Ranges that are not the public internet, by the registries of IANA, each with its purpose.
/// Single addresses stand before the ranges that hold them, since the first one gives the reason.
const RANGES: &[(&str, &str)] = &[
    ("169.254.169.254/32", "the metadata service of a cloud"),
    ("168.63.129.16/32", "the metadata service of a cloud"),
    ("100.100.100.200/32", "the metadata service of a cloud"),
    ("fd00:ec2::254/128", "the metadata service of a cloud"),
    ("0.0.0.0/8", "unspecified"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "shared by a provider's customers"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved"),
    ("192.0.2.0/24", "reserved"),
    ("192.88.99.0/24", "reserved"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "reserved"),
    ("198.51.100.0/24", "reserved"),
    ("203.0.113.0/24", "reserved"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("64:ff9b:1::/48", "private"),
    ("100::/64", "reserved"),
    ("2001::/23", "reserved"),
    ("2001:db8::/32", "reserved"),
    ("3fff::/20", "reserved"),
    ("5f00::/16", "reserved"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "private"),
    ("ff00::/8", "multicast"),
];

/// Addresses that are granted although they are not public.
#[derive(Clone, Debug, Default)]
pub struct Networks(Arc<[IpNet]>);

/// An address that may not be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedAddress {
    pub host: String,
    pub address: IpAddr,
    pub why: &'static str,
}

impl fmt::Display for RefusedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has the address {}, which is {}", self.host, self.address, self.why)
    }
}

impl Error for RefusedAddress {}

/// A name without an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownHost {
    pub reason: String,
}

impl fmt::Display for UnknownHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Error for UnknownHost {}

impl Networks {
    pub fn new(granted: Vec<IpNet>) -> Networks {
        Networks(granted.into())
    }

    /// Resolves names for a client. The operator named the `proxy`, so it may have any address.
    pub fn resolver(&self, proxy: Option<&str>) -> Resolver {
        Resolver { networks: self.clone(), proxy: proxy.map(str::to_owned) }
    }

    /// Refuses a text that is no range of addresses, or a range of all addresses, with the reason.
    pub fn range(text: &str) -> Result<IpNet, String> {
        let range: IpNet = text
            .parse()
            .map_err(|_| format!("'{}' is not a range of addresses", text.escape_debug()))?;
        if range.prefix_len() == 0 {
            Err(format!("{range} would be every address there is"))
        } else {
            Ok(range)
        }
    }

    /// Why an address is refused, if it is.
    fn refusal(&self, address: IpAddr) -> Option<&'static str> {
        // In one notation first: version 6 can write a private address of version 4 in four ways.
        let address = plain(address);
        let granted = self.0.iter().any(|network| network.contains(&address));
        if granted { None } else { not_public(address) }
    }

    /// Refuses a URL whose host is an address that may not be connected to. Names are checked when
    /// they are resolved.
    pub fn check(&self, url: &Url) -> Result<(), RefusedAddress> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        match self.refusal(address) {
            Some(why) => Err(RefusedAddress {
                host: url.host_str().unwrap_or_default().into(),
                address,
                why,
            }),
            None => Ok(()),
        }
    }

    /// The addresses of a name that may be connected to. Without any, the first refusal.
    fn sift(
        &self,
        host: &str,
        addresses: Vec<SocketAddr>,
    ) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
        let mut refused = None;
        let mut sifted = Vec::new();
        for address in addresses {
            match self.refusal(address.ip()) {
                None => sifted.push(address),
                Some(why) => {
                    refused = refused.or(Some(RefusedAddress {
                        host: host.into(),
                        address: address.ip(),
                        why,
                    }))
                }
            }
        }
        match refused {
            Some(refused) if sifted.is_empty() => Err(Box::new(refused)),
            None if sifted.is_empty() => {
                Err(Box::new(UnknownHost { reason: "the name has no address".into() }))
            }
            _ => Ok(sifted),
        }
    }
}

/// Resolves names as the machine does, and leaves out addresses that may not be connected to.
#[derive(Clone, Debug)]
pub struct Resolver {
    networks: Networks,
    proxy: Option<String>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let Resolver { networks, proxy } = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found: Vec<SocketAddr> =
                found.map_err(|error| UnknownHost { reason: error.to_string() })?.collect();
            let is_proxy = proxy.is_some_and(|proxy| proxy.eq_ignore_ascii_case(name.as_str()));
            let found = if is_proxy { found } else { networks.sift(name.as_str(), found)? };
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The address of version 4 that an address of version 6 stands for, if it stands for one.
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    let bytes = six.octets();
    let last = || IpAddr::V4(Ipv4Addr::new(bytes[12], bytes[13], bytes[14], bytes[15]));
    match six.segments() {
        // Mapped.
        [0, 0, 0, 0, 0, 0xffff, ..] => last(),
        // Compatible, without `::` and `::1`.
        [0, 0, 0, 0, 0, 0, ..] if six != Ipv6Addr::UNSPECIFIED && six != Ipv6Addr::LOCALHOST => {
            last()
        }
        // Translated: NAT64.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => last(),
        // 6to4.
        [0x2002, ..] => IpAddr::V4(Ipv4Addr::new(bytes[2], bytes[3], bytes[4], bytes[5])),
        _ => address,
    }
}

fn not_public(address: IpAddr) -> Option<&'static str> {
    let holds = |range: &str| range.parse::<IpNet>().is_ok_and(|range| range.contains(&address));
    RANGES.iter().find(|(range, _)| holds(range)).map(|(_, why)| *why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(granted: &[&str], address: &str) -> Option<&'static str> {
        let networks =
            Networks::new(granted.iter().map(|network| network.parse().unwrap()).collect());
        networks.refusal(address.parse().unwrap())
    }

    #[test]
    fn every_range_can_be_read() {
        for (range, _) in RANGES {
            assert!(range.parse::<IpNet>().is_ok(), "{range}");
        }
    }

    #[test]
    fn addresses_that_are_not_public_are_refused_in_every_notation() {
        for (address, why) in [
            ("127.0.0.1", "loopback"),
            ("127.255.0.9", "loopback"),
            ("::1", "loopback"),
            ("::ffff:127.0.0.1", "loopback"),
            ("::127.0.0.1", "loopback"),
            ("64:ff9b::127.0.0.1", "loopback"),
            ("2002:7f00:1::", "loopback"),
            ("10.1.2.3", "private"),
            ("172.31.255.255", "private"),
            ("192.168.0.1", "private"),
            ("fd12::1", "private"),
            ("100.64.0.1", "shared by a provider's customers"),
            ("169.254.169.254", "the metadata service of a cloud"),
            ("::ffff:169.254.169.254", "the metadata service of a cloud"),
            ("fd00:ec2::254", "the metadata service of a cloud"),
            ("169.254.1.1", "link-local"),
            ("fe80::1", "link-local"),
            ("224.0.0.1", "multicast"),
            ("ff02::1", "multicast"),
            ("0.0.0.0", "unspecified"),
            ("::", "unspecified"),
            ("255.255.255.255", "reserved"),
            ("2001:db8::1", "reserved"),
        ] {
            assert_eq!(refusal(&[], address), Some(why), "{address}");
        }
        for public in
            ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::1.1.1.1"]
        {
            assert_eq!(refusal(&[], public), None, "{public}");
        }
    }

    #[test]
    fn a_granted_network_opens_its_addresses_only() {
        assert_eq!(refusal(&["127.0.0.0/8"], "127.0.0.1"), None);
        assert_eq!(refusal(&["127.0.0.0/8"], "::ffff:127.0.0.1"), None);
        assert_eq!(refusal(&["127.0.0.0/8"], "::1"), Some("loopback"));
        assert_eq!(refusal(&["10.0.0.0/16"], "10.1.0.1"), Some("private"));
    }

    #[test]
    fn of_a_name_only_the_addresses_that_may_be_connected_to_are_kept() {
        let networks = Networks::default();
        let addresses = |texts: &[&str]| {
            texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect::<Vec<_>>()
        };
        let sifted = networks.sift("h", addresses(&["10.0.0.1", "1.1.1.1"])).unwrap();
        assert_eq!(sifted, addresses(&["1.1.1.1"]));
        let refused = networks.sift("h", addresses(&["10.0.0.1", "127.0.0.1"])).unwrap_err();
        assert_eq!(refused.to_string(), "h has the address 10.0.0.1, which is private");
    }
}
