//! The error codes of rules and their cases.

domain::codes! {
    RULE_SYNTAX "R101" Rules User "A rule does not compile.";
    RULE_MISSING_FUNCTION "R102" Rules User "A rule lacks `matches` or `allocate`.";
    RULE_UNKNOWN_FIELD "R103" Rules User "A rule reads a field that charges do not have.";
    RULE_ASSIGNMENT "R104" Rules User "A rule assigns to its input.";
    RULE_HEADER "R105" Rules User "A rule's `rule(#{…})` header is missing or wrong.";
    RULE_FIELD_NOT_KEPT "R106" Rules User "A rule reads a dimension that is not collected.";
    RULE_TABLE "R107" Rules User "A lookup table is missing, unreadable, or has a key twice.";
    RULE_DOC "R108" Rules User "A rule has no doc comment.";
    RULE_ADVICE "R109" Rules User "A rule works, but is slow, unowned or overdue for review.";
    RULE_POOL "R110" Rules User
        "A rule names a pool that no distribution rule has, or two rules pass on the cost of one \
         team.";
    RULE_SHADOWED "R111" Rules User
        "A rule is never reached: an earlier one claims all that it would.";
    RULE_ORDER "R112" Rules User
        "Two rules have the same priority, so that their names decide which of them is tried \
         first.";
    TABLE_UNUSED "R113" Rules User "No rule reads a lookup table.";
    RULE_TAG_KEY "R114" Rules User
        "A rule reads a tag by a key that the tag schema turns into another one.";
    RULE_TEAM_UNLISTED "R115" Rules User "A rule names a team that tables/teams.csv does not have.";
    RULE_METRIC "R116" Rules User "A rule asks for a metric of which no usage was collected.";
    RULE_THROWN "R202" Rules Incomplete "A rule threw.";
    RULE_LIMIT "R203" Rules Incomplete "A rule used up one of its limits.";
    RULE_FAILED "R204" Rules Incomplete "A rule failed while it ran.";
    RULE_TEAM "R206" Rules Incomplete
        "A rule names a team that has the name of an account, or one that is not among those of \
         tables/teams.csv while the settings refuse such teams.";
    RULE_DETAIL "R207" Rules Incomplete
        "A rule reads a detail that the charge does not say, or that has more digits than rules \
         compute with.";
    CASES_FILE "R301" Rules User "A cases file is missing, empty or cannot be read.";
    CASE_FAILED "R302" Rules User "A case does not come out as expected.";
    RULES_UNREADABLE "R303" Rules User "The rules folder cannot be read.";
    PROPERTY_FAILED "R305" Rules User "A property does not hold for a charge that it describes.";
    RULE_LAYOUT "R306" Rules User "A rule is not laid out as `rule fmt` does it, or cannot be.";
    RULE_UNKNOWN "R304" Rules User "There is no rule of that name.";
}
