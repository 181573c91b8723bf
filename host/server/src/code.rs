//! What can go wrong between server and client.

domain::codes! {
    ADDRESS_REFUSED "S101" Server User "`serve` only listens on loopback, because reading needs no token.";
    ADDRESS_IN_USE "S102" Server User "The address cannot be listened on.";
    NO_SUCH_PATH "S201" Server User "The API has no such path.";
    METHOD_REFUSED "S202" Server User "The path does not take this method.";
    HOST_REFUSED "S203" Server User "The request names a host that is not this machine.";
    CHANGES_OFF "S204" Server User
        "The server was started without a token, so it only shows and changes nothing.";
    TOKEN_REFUSED "S205" Server User "A change was asked for without the right token.";
    NOT_READY "S206" Server User
        "Rules, settings, sources or the ledger are to be mended; `reasons` says which.";
    PAGES_MOVED "S207" Server User
        "The ledger changed between two pages of one list.";
}
