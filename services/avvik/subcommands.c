/* subcommands.c - the table of subcommands: names, whose key signs in, words and examples.
 *
 * Usage begins with the words after the name; `avvik SUBCOMMAND --help` prints it below "usage: avvik NAME ".
 */
#include "subcommands.h"

#include "base/macros.h"

/* Continues a list of forms under the first one. */
#define OR "\n       avvik "

/* clang-format off */
const struct subcommand subcommands[] = {
	{"up", command_up, "admin", "run all four daemons here, in the foreground",
		"[FOLDER] [--stepped TIME]\n\n"
		"Starts intake, workflow, notification and reporting and watches them; makes an instance in FOLDER (default: state)\n"
		"when there is none. --stepped: a development instance whose clock begins at TIME and moves by `avvik clock` alone.\n"
		"Ctrl-C stops it; SIGHUP makes the daemons read principals and templates again.\n\n"
		"example: avvik up state --stepped 2026-04-01"},
	{"keys", command_keys, "admin", "make an instance, make keys, list them",
		"[list]"
		OR "keys init [FOLDER] [--name INSTANCE] [--stepped TIME] [--templates FOLDER]"
		OR "keys new NAME\n\n"
		"init makes an instance: settings, principals and keys. new makes a key pair for a principal that has none yet.\n\n"
		"example: avvik keys init state --name lindaker"},
	{"principals", command_principals, "admin", "who may talk to this instance, and what each may do",
		"[list]"
		OR "principals add NAME --kind KIND --rights R,... [--units U,...] [--roles R,...]"
		OR "principals rotate NAME [--overlap \"7 days\"]"
		OR "principals revoke NAME"
		OR "principals check [FILE]\n\n"
		"KIND: publisher, case_system, administrator, consumer or daemon. Rights: publish, act, query, content, administer,\n"
		"feed, contacts, summary, status, take_over. add and rotate make the key too. The daemons read the file again by themselves\n"
		"within seconds (at once on SIGHUP); a revoked key is refused from the next message on.\n\n"
		"example: avvik principals add carerecords --kind publisher --rights publish,status --units hemtjanst-norr"},
	{"directory", command_directory, "admin", "the organisation: check, preview, publish, show",
		"check FILE [--rules FILE]"
		OR "directory preview FILE"
		OR "directory publish FILE [--reason TEXT]"
		OR "directory show [--unit CODE] [--people]"
		OR "directory people [--unit CODE] [--role ROLE]\n\n"
		"check lists every fault with file, line and remedy, and needs no instance; with --rules the directory is also held against\n"
		"a rule pack, as publish holds it against the one in force. preview tells who would be told instead, of each open deadline's reminders.\n"
		"publish replaces the directory that is in force.\n\n"
		"example: avvik directory check deploy/directory/lindaker.yaml --rules deploy/rules/se-2025-07.yaml"},
	{"rules", command_rules, "admin", "the rule packs: check, preview, publish, apply, show",
		"check FILE"
		OR "rules preview FILE"
		OR "rules publish FILE [--reason TEXT]"
		OR "rules apply VERSION --reason TEXT"
		OR "rules show [VERSION]\n\n"
		"A rule pack holds deadlines, notices, codes and thresholds, each with its source. check needs no instance. Cases keep the\n"
		"version that they were opened under: preview tells what would change for the deadlines of open ones, and apply makes\n"
		"those received while a published pack holds go over to it.\n\n"
		"example: avvik rules publish deploy/rules/se-2025-07.yaml --reason \"the new Social Services Act\""},
	{"whatif", command_whatif, "admin", "the recorded history by another rule pack: what would have been different",
		"--rules FILE [--directory FILE] --from DATE --to DATE [--lang en|sv]\n\n"
		"Runs the deadlines of the cases received between the two days again by the rule pack in FILE, whatever days it says it is\n"
		"for: other last days, reminders and escalations that would or would not have been said and to whom, cases that would have\n"
		"been overdue, totals per rule. --directory: who would have been told by another directory. Nothing is changed.\n\n"
		"example: avvik whatif --rules draft.yaml --from 2026-01-01 --to 2026-06-30"},
	{"calendar", command_calendar, "admin", "Swedish days off, and when a time ends",
		"YEAR"
		OR "calendar due DATE PERIOD [--local]\n\n"
		"PERIOD: \"2 months\", \"30 days\", \"1 working day\", \"72 hours\". Each day is explained. --local: a local target, whose last\n"
		"day is not moved past days off.\n\n"
		"example: avvik calendar due 2026-04-19 \"2 months\""},
	{"report", command_report, "publisher", "file reports, keep receipts, verify them",
		"file FILE|DIR|- ... [--receipts FOLDER] [--window N]"
		OR "report receipt ID|--reference R [--save FILE]"
		OR "report status ID"
		OR "report verify RECEIPTFILE [--public FILE]"
		OR "report supplement ID FILE [--receipts FOLDER]\n\n"
		"file takes JSON or YAML (told by the content): one report or many, as an array, as documents after one another, or a folder\n"
		"of files. An item is {reference: ..., report: {...}}, or the report itself with `reference` beside its fields. Without a\n"
		"reference one follows from the content: so filing the same file twice files nothing twice. What is odd but readable is\n"
		"kept, and said. A line for each refused item goes to standard error, and the exit code is 4 when some were refused.\n"
		"verify needs no instance: only the public signing key (default: keys/intake.sign.pub of the instance).\n\n"
		"example: avvik report file deploy/samples --receipts receipts"},
	{"case", command_case, "casework", "act on a case, show it, list cases, make its document",
		"ACT CASE [words] --as PERSON [--at TIME] [--version N]"
		OR "case show CASE"
		OR "case list [--unit CODE] [--kind deviation|lex_sarah|information] [--state STATE] [--open] [--duplicates] [--limit N]"
		OR "case acts [ACT]"
		OR "case document CASE --as PERSON --purpose CODE [--out FILE]"
		OR "case document CASE --without-content [--out FILE]\n\n"
		"CASE is a number (2026-0042) or an id. `avvik case acts` lists the acts and their words. Texts may be given as @FILE, or as -\n"
		"for standard input, so that they do not stand in the shell's history. A measure is given by its number in `case show`\n"
		"or by its id. --at: when it was done, if not now. The case is read first, so that the act is on what it is now; with --version\n"
		"on what you saw. list --duplicates: those alone that may be of the same event as\n"
		"another, with its number. list shows the first 500 unless --limit says otherwise, and says so when there are more.\n\n"
		"join lets the report be handled in another case of the same event; part undoes it. correct erases what was filed by\n"
		"mistake: a text by --text, a report by --report FILE, the whole report as it should be.\n\n"
		"document makes one page (HTML, Swedish, to read and to print) of all that the law wants documented, with what IVO's form\n"
		"asks for. Reading is decided and journalled as for `avvik content`. FILE must not exist; only its owner may read it.\n"
		"--without-content: codes, times and roles, every text withheld; nobody needs to be allowed anything more.\n\n"
		"example: avvik case decide 2026-0042 --degree serious --motive @motive.txt --as sas.lindaker\n"
		"         avvik case document 2026-0042 --as saga.samordnare --purpose utredning --out case.html"},
	{"why", command_why, "casework", "why a deadline falls on its day, in words",
		"CASE [RULE] [--lang en|sv]\n\n"
		"Each deadline of the case as a ledger: what started it, under which law, each day, the reminders and escalations that have\n"
		"fired, and what comes next.\n\n"
		"example: avvik why 2026-0042 D5 --lang sv"},
	{"trace", command_trace, "admin", "one report through all four daemons, with times",
		"CASE\n\n"
		"Every event of the case in every journal, in order, and how long after the filing each was recorded. CASE: number, or\n"
		"the id of the case or report.\n\n"
		"example: avvik trace 2026-0042"},
	{"deadlines", command_deadlines, "casework", "what is due, and when",
		"[CASE] [--unit CODE] [--before DAY] [--overdue] [--all] [--limit N]\n\n"
		"Running deadlines by the time they are due. --all: also those that are met or cancelled (of one case).\n"
		"The first 500 unless --limit says otherwise; it is said when there are more.\n\n"
		"example: avvik deadlines --unit aldreomsorg --before 2026-07-01"},
	{"notices", command_notices, "admin", "who was told what, and whether it arrived",
		"[CASE] [--state decided|retrying|delivered|given_up] [--person ID] [--limit N]"
		OR "notices retry ID --reason TEXT\n\n"
		"The oldest first, 500 unless --limit says otherwise; it is said when there are more. Rules that reached nobody are listed last:\n"
		"of the case, or without CASE, --state and --person of the last seven days (but reporters without an address). retry tries a notice that was given up once more.\n\n"
		"example: avvik notices --state given_up"},
	{"content", command_content, "casework", "read or erase what a case holds, by grant",
		"read CASE --purpose CODE --as PERSON [--part PART,...]"
		OR "content erase CASE --reason CODE [--content ID] --as PERSON\n\n"
		"Both are decided by workflow (role, unit, state), and both are journalled. Purposes and reasons are codes of the rule pack:\n"
		"`avvik rules show` lists them. Parts: narrative, persons, reporter, text.\n\n"
		"example: avvik content read 2026-0042 --purpose utredning --as lex.utredare"},
	{"summary", command_summary, "admin", "figures of a unit: table, CSV, JSON",
		"[--unit CODE] [--span day|month|tertial|year|now] [--period P] [--by kind|degree|deadline] [--csv]\n\n"
		"Without --unit the whole committee. Deadlines met and missed count by due day. Periods: 2026-04-07, 2026-04, 2026-T1, 2026.\n\n"
		"example: avvik summary --unit aldreomsorg --span tertial"},
	{"stream", command_stream, "admin", "follow the summary stream",
		"[UNIT ...] [--span day|month|tertial|year|now] [--for SECONDS]\n\n"
		"Prints each figure as it changes; what was missed is repaired from the snapshot. Ctrl-C ends it.\n\n"
		"example: avvik stream solglantan --span now"},
	{"feed", command_feed, "admin", "read the journals of one or more daemons",
		"DAEMON ... [--words] [--follow] [--new] [--from SEQUENCE] [--limit N] [--for SECONDS]\n\n"
		"DAEMON: intake, workflow, notification, reporting; several are shown as one, in the order of time. --words: a sentence\n"
		"for each event that means something to a case officer. --follow: wait for more. --new: leave out what there is already.\n\n"
		"example: avvik feed workflow notification --words --follow"},
	{"status", command_status, "admin", "health in plain words; the exit code is for monitoring",
		"[--metrics]\n\n"
		"Exit code 0: all is well; 1: something wants attention; 3: a daemon is away. --metrics: Prometheus text. Rules that would find\n"
		"nobody in a role, now or before the last open deadline has ended, are listed with units and days.\n\n"
		"example: avvik status"},
	{"quarantine", command_quarantine, "admin", "events that could not be handled, and feeds that halted",
		"[list]"
		OR "quarantine retry FEED SEQUENCE --reason TEXT [--daemon DAEMON]"
		OR "quarantine drop FEED SEQUENCE --reason TEXT [--daemon DAEMON]"
		OR "quarantine feed FEED --restart|--accept-head|--go-on --reason TEXT [--daemon DAEMON]\n\n"
		"Later events of the same case wait behind one that could not be handled; other cases go on. DAEMON is the consumer; it is\n"
		"found when only one can be meant. The reason is kept in the journal.\n\n"
		"example: avvik quarantine retry workflow 1723 --reason \"rule pack corrected\""},
	{"takeover", command_takeover, "takeover", "take over open cases from another system",
		"check FILE"
		OR "takeover apply FILE --reason TEXT [--report FILE]\n\n"
		"FILE (YAML or JSON, docs/takeover.md) has the open cases of another system, with what was done there and when. check\n"
		"writes nothing: it lists every fault with line and remedy, or what would become of each case. apply refuses a file that has\n"
		"faults, and may be run again after whatever happened: nothing is done twice. Deadlines are counted from the dates of then;\n"
		"nothing is said of what lies before. It needs the right take_over, of a key of its own:\n"
		"`avvik principals add takeover --kind administrator --rights take_over`.\n\n"
		"example: avvik takeover apply deploy/takeover/lindaker.yaml --reason \"the old system is closed\""},
	{"verify", command_verify, "admin", "verify chains and receipts, replay the journals and compare",
		"\n\nWorks on a copy of each store, one after another: the daemons may run meanwhile, and there must be room for it.\n\n"
		"example: avvik verify"},
	{"backup", command_backup, "admin", "back up the stores",
		"FOLDER\n\n"
		"FOLDER must not exist. Keep the content keys apart from the data, and for a short time.\n\n"
		"example: avvik backup /srv/backup/avvik-2026-04-20"},
	{"restore", command_restore, "admin", "restore the stores from a backup",
		"FOLDER [--only DAEMON]\n\n"
		"The daemons must be stopped. A restored journal has a new epoch: consumers that had seen more stop and say so.\n\n"
		"example: avvik restore /srv/backup/avvik-2026-04-20"},
	{"clock", command_clock, "admin", "the stepped clock of a development instance",
		"[show]"
		OR "clock advance --to TIME | --by PERIOD [--pause MILLISECONDS]"
		OR "clock settle\n\n"
		"advance goes from due instant to due instant, and waits each time until all daemons are quiet. settle waits without\n"
		"moving the time.\n\n"
		"example: avvik clock advance --by \"2 months\""},
};
/* clang-format on */
const size_t subcommand_count = AV_COUNT(subcommands);
