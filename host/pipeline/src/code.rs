//! What can go wrong with runs, plans and questions.

domain::codes! {
    CHARGES_REPEATED "F210" Files Incomplete
        "Two tables of a source have the same charges of a day, which would count twice.";
    PERIOD_UNCLEAR "F211" Files Incomplete
        "Files have few days of a billing period, and most days that were known of it are missing.";
    COST_ONE_SIDED "F212" Files User
        "Days of a source have one kind of cost only, and other days have both.";
    SUMS_REPEATED "F213" Files User
        "Two tables or sources have the same billed sums of days, and may be one bill.";
    COST_REPEATED "F214" Files Incomplete
        "Rows of a table repeat the cost of a charge for each member of a list.";
    ESTIMATES_UNMATCHED "F215" Files User
        "Estimates cannot be matched with the charges of their bill.";
    ID_ROUNDED "F113" Files User
        "Ids were saved as numbers, so that digits of them may be lost.";
    TEXT_REPLACED "F114" Files User
        "Names have characters that a program before replaced, because it could not read them.";
    RULE_CIRCLE "R205" Rules Incomplete
        "Rules pass costs on in a circle that cannot be solved; the costs stay where they are.";
    PRICE_CURRENCY "R211" Rules Incomplete
        "A price names no currency, and the charges are in several; the costs stay where they are.";
    PLAN_UNREADABLE "N301" Runs User
        "A plan file cannot be read, is of another version, or was changed after it was made.";
    PLAN_RULES_MOVED "N302" Runs User "The rules are not those of the plan any more.";
    PLAN_INPUTS_MOVED "N303" Runs User
        "What the plan was made on has changed since: charges, entries or closed months.";
    PLAN_OTHER_LEDGER "N304" Runs User "The plan was made on another ledger.";
    PLAN_NOT_TO_APPLY "N305" Runs User "The plan answers what would be if, and cannot be applied.";
    APPROVAL_MISSING "N402" Runs User
        "The settings want rules to be approved before they post, and these are not.";
}
