/* why.c - avvik why: a deadline as a ledger, in words: what started it, each day, what has been said, what
 * comes next. */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/date.h"
#include "base/status.h"
#include "case_tool.h"
#include "names.h"
#include "subcommands.h"
#include "table.h"
#include "why_told.h"

struct telling {
	struct tool *tool;
	struct names names;
	struct told told; /* by the rungs */
	bool swedish;
	const Avvik__V1__Takeover *takeover; /* NULL: the case began here */
	const Avvik__V1__Why *why;
	const Avvik__V1__Deadline *deadline;
};

/* A macro, so that formats stay literals that the compiler can check. */
#define IN(telling, english, swedish_text) ((telling)->swedish ? (swedish_text) : (english))

static const char *weekday(const struct telling *telling, int32_t on)
{
	static const char *const names[] = {
		"", "måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag"};

	if (!telling->swedish)
		return ask_weekday(telling->tool, on);
	return av_arena_printf(
		telling->tool->arena, "%s %s", names[av_weekday(on)], tool_day(telling->tool, on));
}

static const char *unit_text(const struct telling *telling, Avvik__V1__PeriodUnit number, uint32_t count)
{
	static const struct {
		const char *one, *many, *en, *flera;
	} units[] = {{"", "", "", ""}, {"hour", "hours", "timme", "timmar"}, {"day", "days", "dag", "dagar"},
		{"week", "weeks", "vecka", "veckor"}, {"month", "months", "månad", "månader"},
		{"year", "years", "år", "år"}, {"working day", "working days", "arbetsdag", "arbetsdagar"},
		{"working hour", "working hours", "arbetstimme", "arbetstimmar"}};
	size_t unit = (size_t)number < AV_COUNT(units) ? (size_t)number : 0;

	return count == 1 ? IN(telling, units[unit].one, units[unit].en)
			  : IN(telling, units[unit].many, units[unit].flera);
}

static const char *period(const struct telling *telling)
{
	const Avvik__V1__Deadline *deadline = telling->deadline;
	uint32_t count = deadline->count + deadline->extended;

	if (!count)
		return IN(telling, "the day itself", "samma dag");
	return av_arena_printf(
		telling->tool->arena, "%u %s", count, unit_text(telling, deadline->unit, count));
}

/* What starts and ends it, by the rule pack; when intake is away, in the daemon's own words. */
static const Avvik__V1__DeadlineRule *rule_of(struct telling *telling)
{
	return names_rule(&telling->names, telling->deadline->rules_version, telling->deadline->rule);
}

static const char *anchor(struct telling *telling)
{
	const Avvik__V1__DeadlineRule *rule = rule_of(telling);
	return rule ? names_anchor(rule->starts, telling->swedish) : telling->why->anchor;
}

static const char *met_by(struct telling *telling)
{
	const Avvik__V1__DeadlineRule *rule = rule_of(telling);
	const char *text = rule && rule->n_met_by ? "" : telling->why->met_by;

	for (size_t i = 0; rule && i < rule->n_met_by; i++)
		text = av_arena_printf(telling->tool->arena, "%s%s%s", text,
			i ? IN(telling, ", or ", " eller ") : "",
			names_anchor(rule->met_by[i], telling->swedish));
	return text;
}

/* What ended it was done in the other system, and told when the case was taken over. */
static bool ended_there(const struct telling *telling)
{
	return telling->takeover && telling->deadline->ended_recorded_at_ms == telling->takeover->at_ms;
}

static const char *state(const struct telling *telling, int64_t now_ms)
{
	const Avvik__V1__Deadline *deadline = telling->deadline;
	struct tool *tool = telling->tool;
	int32_t days = deadline->due_on - av_local_day(now_ms);

	switch (deadline->state) {
	case AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_MET:
		return av_arena_printf(tool->arena, IN(telling, "met in time, %s%s", "klar i tid, %s%s"),
			tool_time(tool, deadline->ended_at_ms),
			deadline->ended_recorded_at_ms > deadline->due_at_ms && !ended_there(telling)
				? av_arena_printf(tool->arena,
					  IN(telling, " (recorded late, %s)", " (antecknat sent, %s)"),
					  tool_time(tool, deadline->ended_recorded_at_ms))
				: "");
	case AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_MET_LATE:
		return av_arena_printf(tool->arena, IN(telling, "met too late, %s", "klar för sent, %s"),
			tool_time(tool, deadline->ended_at_ms));
	case AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_CANCELLED:
		return IN(telling, "no longer needed", "behövs inte längre");
	case AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_STOPPED:
		return av_arena_printf(tool->arena,
			IN(telling, "stands still since %s", "står stilla sedan %s"),
			deadline->n_stops ? tool_time(tool, deadline->stops[deadline->n_stops - 1]->from_ms)
					  : "");
	case AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_SUPERSEDED:
		return IN(telling, "another deadline has taken its place", "en annan frist gäller i stället");
	default:
		break;
	}
	if (deadline->due_at_ms < now_ms)
		return av_arena_printf(
			tool->arena, IN(telling, "OVERDUE by %d days", "FÖRSENAD %d dagar"), -days);
	return av_arena_printf(
		tool->arena, IN(telling, "running, %d days left", "löper, %d dagar kvar"), days);
}

/* --- day by day --- */

static const char *use(const struct telling *telling, Avvik__V1__DayUse value)
{
	switch (value) {
	case AVVIK__V1__DAY_USE__DAY_USE_START:
		return IN(telling, "the start, not counted", "startdagen, räknas inte");
	case AVVIK__V1__DAY_USE__DAY_USE_COUNTED:
		return IN(telling, "counted", "räknas");
	case AVVIK__V1__DAY_USE__DAY_USE_SKIPPED:
		return IN(telling, "not a working day", "inte arbetsdag");
	case AVVIK__V1__DAY_USE__DAY_USE_MOVED_PAST:
		return IN(telling, "the last day is moved past it", "sista dagen flyttas förbi");
	case AVVIK__V1__DAY_USE__DAY_USE_DUE:
		return IN(telling, "the last day", "sista dagen");
	case AVVIK__V1__DAY_USE__DAY_USE_STOPPED:
		return IN(telling, "stopped, not counted", "stoppad, räknas inte");
	default:
		return "";
	}
}

/* The daemon names days in Swedish; holidays keep their names. */
static const char *reason(const struct telling *telling, const char *text)
{
	static const struct {
		const char *swedish, *english;
	} words[] = {{"lördag", "Saturday"}, {"söndag", "Sunday"},
		{"stängt enligt regelpaketet", "closed by the rule pack"}};

	for (size_t i = 0; i < AV_COUNT(words) && !telling->swedish; i++)
		if (strcmp(words[i].swedish, text) == 0)
			return words[i].english;
	return text;
}

static void days_print(const struct telling *telling)
{
	const char *const headings[] = {IN(telling, "day", "dag"), IN(telling, ">count", ">antal"),
		IN(telling, "counts as", "räknas som"), IN(telling, "reason", "skäl"), NULL};
	struct table *table = table_create(headings);
	struct tool *tool = telling->tool;

	for (size_t i = 0; i < telling->why->n_days; i++) {
		const Avvik__V1__WhyDay *day = telling->why->days[i];
		int32_t run = day->run > 1 ? (int32_t)day->run : 1;
		table_row(table,
			(const char *const[]){
				run == 1 ? weekday(telling, day->day_on)
					 : av_arena_printf(tool->arena, IN(telling, "%s to %s", "%s till %s"),
						   tool_day(tool, day->day_on),
						   tool_day(tool, day->day_on + run - 1)),
				ask_number(tool, run), use(telling, day->use), reason(telling, day->reason)});
	}
	table_print(&table);
}

/* --- rungs --- */

static bool runs(const Avvik__V1__Deadline *deadline)
{
	return deadline->state == AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_RUNNING;
}

static const char *rung_state(const struct telling *telling, const Avvik__V1__RungPlanned *rung)
{
	struct tool *tool = telling->tool;

	if (rung->fired_at_ms)
		return av_arena_printf(tool->arena,
			rung->late ? IN(telling, "said %s, late: the system was stopped",
					     "skickat %s, för sent: systemet stod stilla")
				   : IN(telling, "said %s", "skickat %s"),
			tool_time(tool, rung->fired_at_ms));
	if (rung->passed_over && telling->takeover && rung->at_ms < telling->takeover->at_ms)
		return IN(telling, "passed over: lay before the case was taken over",
			"inte skickat: låg före övertagandet");
	if (rung->passed_over)
		return IN(telling, "lay before the deadline was set", "låg före fristens början");
	return runs(telling->deadline) ? IN(telling, "to come", "kommande")
				       : IN(telling, "not needed", "behövdes inte");
}

static const char *told_text(const struct telling *telling, size_t rung)
{
	if (telling->told.away && telling->deadline->rungs[rung]->fired_at_ms)
		return IN(telling, "not known: notification does not answer",
			"okänt: notification svarar inte");
	return told_by_rung(telling->tool, &telling->told, telling->deadline, rung, telling->swedish);
}

static void rungs_print(struct telling *telling)
{
	const Avvik__V1__Deadline *deadline = telling->deadline;
	const char *const headings[] = {IN(telling, "when", "när"), IN(telling, "what", "vad"),
		IN(telling, "to", "till"), IN(telling, "state", "läge"), IN(telling, "told", "underrättade"),
		NULL};
	struct table *table = table_create(headings);

	for (size_t i = 0; i < deadline->n_rungs; i++) {
		const Avvik__V1__RungPlanned *rung = deadline->rungs[i];
		table_row(table,
			(const char *const[]){tool_time(telling->tool, rung->at_ms),
				names_rung(rung->kind, telling->swedish),
				names_recipients(&telling->names, rung->to, rung->n_to, telling->swedish),
				rung_state(telling, rung), told_text(telling, i)});
	}
	if (!table_empty(table))
		printf("\n");
	table_print(&table);
}

static void next_print(struct telling *telling)
{
	const Avvik__V1__Deadline *deadline = telling->deadline;
	const Avvik__V1__RungPlanned *next = NULL;

	for (size_t i = 0; i < deadline->n_rungs; i++)
		if (!deadline->rungs[i]->fired_at_ms && !deadline->rungs[i]->passed_over &&
			(!next || deadline->rungs[i]->at_ms < next->at_ms))
			next = deadline->rungs[i];
	if (!runs(deadline))
		return;
	if (next)
		printf(IN(telling, "\nnext: %s, %s, to %s; it is done when %s\n",
			       "\nhärnäst: %s, %s, till %s; den är klar när %s\n"),
			tool_time(telling->tool, next->at_ms), names_rung(next->kind, telling->swedish),
			names_recipients(&telling->names, next->to, next->n_to, telling->swedish),
			met_by(telling));
	else
		printf(IN(telling, "\nit is done when %s\n", "\nden är klar när %s\n"), met_by(telling));
}

static void stops_print(struct telling *telling)
{
	const Avvik__V1__RulePack *rules = names_rules(&telling->names, telling->deadline->rules_version);

	for (size_t i = 0; i < telling->deadline->n_stops; i++) {
		const Avvik__V1__DeadlineStop *stop = telling->deadline->stops[i];
		printf(IN(telling, "stopped  %s to %s: %s\n", "stoppad   %s till %s: %s\n"),
			tool_time(telling->tool, stop->from_ms),
			stop->until_ms ? tool_time(telling->tool, stop->until_ms) : IN(telling, "now", "nu"),
			rules ? names_code(rules->stop_reasons, rules->n_stop_reasons, stop->reason)
			      : stop->reason);
	}
}

/* What is used of the budget, in the unit that it is counted by. */
static void used_print(const struct telling *telling)
{
	const Avvik__V1__Consumption *used = telling->why->consumption;

	if (used && used->budget)
		printf(IN(telling, "used     %u of %u %s%s\n", "använt    %u av %u %s%s\n"), used->used,
			used->budget, unit_text(telling, used->unit, used->budget),
			telling->deadline->extended
				? IN(telling, ", more time included", ", förlängning inräknad")
				: "");
}

static void due_print(const struct telling *telling)
{
	const Avvik__V1__Deadline *deadline = telling->deadline;

	if (deadline->state == AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_STOPPED) {
		printf(IN(telling, "due      not while it stands still",
			"sista dag ingen medan den står stilla"));
		return;
	}
	printf(IN(telling, "due      %s", "sista dag %s"), weekday(telling, deadline->due_on));
	if (deadline->due_on != deadline->nominal_on)
		printf(IN(telling, ", moved from %s by lag (1930:173) 2 §",
			       ", flyttad från %s enligt lag (1930:173) 2 §"),
			weekday(telling, deadline->nominal_on));
}

static void why_print(struct telling *telling, const char *number, int64_t now_ms)
{
	const Avvik__V1__Deadline *deadline = telling->deadline;
	struct tool *tool = telling->tool;
	const char *name =
		!telling->swedish && *telling->why->name_en ? telling->why->name_en : telling->why->name;

	printf(IN(telling, "Case %s, %s: %s\n", "Ärende %s, %s: %s\n"), number, deadline->rule, name);
	printf(IN(telling, "source   %s; %s\n", "källa     %s; %s\n"), deadline->source,
		deadline->statutory ? IN(telling, "a statutory deadline", "lagstadgad frist")
				    : IN(telling, "a local target", "lokalt mål"));
	if (telling->takeover)
		printf(IN(telling, "taken over from %s on %s, where it was %s\n",
			       "övertaget från %s den %s, där med nummer %s\n"),
			telling->takeover->system, tool_day(tool, av_local_day(telling->takeover->at_ms)),
			telling->takeover->external_id);
	printf(IN(telling, "starts   %s: %s\n", "börjar    %s: %s\n"),
		tool_time(tool, deadline->anchor_at_ms), anchor(telling));
	printf(IN(telling, "length   %s\n", "längd     %s\n"), period(telling));
	stops_print(telling);
	used_print(telling);
	due_print(telling);
	printf(IN(telling, "\nstate    %s\n\n", "\nläge      %s\n\n"), state(telling, now_ms));
	if (deadline->state != AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_STOPPED)
		days_print(telling);
	rungs_print(telling);
	next_print(telling);
}

/* What other reports and corrections there are, before the deadlines. */
static void tell_of_case(const struct telling *telling, const char *number)
{
	Avvik__V1__Reply *reply = NULL;
	int code;
	const Avvik__V1__Case *found = case_fetch(telling->tool, number, &reply, &code);

	if (found)
		case_joins_tell(telling->tool, found, telling->swedish);
	tool_reply_free(&reply);
}

int command_why(struct tool *tool, int argc, char **argv)
{
	const char *rest[2] = {NULL, NULL}, *language = "en";
	const struct tool_option words[] = {{"lang", OPTION_TEXT, &language}};
	struct telling telling = {.tool = tool, .names = names_of(tool)};
	Avvik__V1__GetWhy query = AVVIK__V1__GET_WHY__INIT;
	Avvik__V1__Reply *reply = NULL;
	struct av_id case_id;
	int code;

	int count = tool_options(tool, argc, argv, words, AV_COUNT(words), rest, 2);
	if (count < 0)
		return EXIT_USAGE;
	if (count == 0)
		return tool_usage("why");
	if (strcmp(language, "en") != 0 && strcmp(language, "sv") != 0)
		return tool_fail(EXIT_USAGE, "--lang: \"%s\" is none of en, sv", language);
	telling.swedish = strcmp(language, "sv") == 0;
	if (tool_case_id(tool, rest[0], &case_id) != AV_OK)
		return EXIT_REFUSED;
	telling.told = told_of(tool, &case_id);
	if (!tool->json)
		tell_of_case(&telling, rest[0]);
	query.case_id = ask_id_field(&case_id);
	query.rule = (char *)(uintptr_t)(count > 1 ? rest[1] : "");
	if (!ask(tool, DAEMON_WORKFLOW, AVVIK__V1__COMMAND__BODY_GET_WHY, &query.base, &reply, &code))
		return code;
	const Avvik__V1__WhyFound *found =
		reply->body_case == AVVIK__V1__REPLY__BODY_WHY_FOUND ? reply->why_found : NULL;
	code = EXIT_DONE;
	if (found && tool->json) {
		tool_print_json(tool, &found->base);
	} else if (found && found->n_whys) {
		for (size_t i = 0; i < found->n_whys; i++) {
			telling.takeover = found->takeover;
			telling.why = found->whys[i];
			telling.deadline = telling.why->deadline;
			if (i)
				printf("\n");
			if (telling.deadline)
				why_print(&telling, found->number, tool_now_ms(tool));
		}
	} else {
		code = tool_fail(EXIT_REFUSED,
			count > 1 ? "the case has no deadline %s" : "the case has no deadlines%s",
			count > 1 ? rest[1] : "");
	}
	tool_reply_free(&reply);
	return code;
}
