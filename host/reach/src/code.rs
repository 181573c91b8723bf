//! What can go wrong on the way to stores and servers.

domain::codes! {
    STORE_FAILED "F301" Files Incomplete "A store or web server could not be listed or read.";
    STORE_REFUSED "F302" Files Incomplete "A store or web server refused the credentials.";
    STORE_NOT_FOUND "F303" Files Incomplete
        "A source's URL leads to no bucket, or to no object in it.";
    STORE_CACHE "F304" Files Incomplete "Copies of objects cannot be kept.";
    PLUGIN_CASSETTE "P114" Plugins User
        "A recording cannot be read, or has no answer to what a plugin asks.";
}
