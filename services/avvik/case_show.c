/* case_show.c - one case as workflow has it, and cases by filter. */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/status.h"
#include "case_tool.h"
#include "names.h"
#include "table.h"

#define PAGE 200

static void line(const char *name, const char *text)
{
	if (*text)
		printf("%-16s %s\n", name, text);
}

static const char *listed(struct tool *tool, char *const *items, size_t count)
{
	const char *text = "";
	for (size_t i = 0; i < count; i++)
		text = av_arena_printf(tool->arena, "%s%s%s", text, i ? ", " : "", items[i]);
	return text;
}

static const char *laws_text(struct tool *tool, const Avvik__V1__Case *found)
{
	const char *text = "";
	for (size_t i = 0; i < found->n_laws; i++)
		text = av_arena_printf(tool->arena, "%s%s%s", text, i ? ", " : "",
			av_enum_name(&avvik__v1__law__descriptor, (int)found->laws[i]));
	return text;
}

/* The items of the investigation that have an entry. */
static const char *items_text(struct tool *tool, uint32_t documented)
{
	const char *text = "";
	for (unsigned int item = 1; item <= 10; item++)
		if (documented & 1u << item)
			text = av_arena_printf(tool->arena, "%s%s%u", text, *text ? ", " : "", item);
	return text;
}

static void requests_print(struct tool *tool, const Avvik__V1__Case *found)
{
	for (size_t i = 0; i < found->n_ivo_requests; i++) {
		const Avvik__V1__IvoRequest *request = found->ivo_requests[i];
		line(av_arena_printf(tool->arena, "IVO request %zu", i + 1),
			av_arena_printf(tool->arena, "of %s, to be answered by %s: %s%s",
				tool_time(tool, request->requested_at_ms), tool_day(tool, request->due_on),
				request->answered_at_ms ? "answered "
				: request->lapsed	? "IVO has decided without the answer"
							: "open",
				tool_time(tool, request->answered_at_ms)));
	}
}

static const char *handled_text(Avvik__V1__Handled handled, const char *done, const char *not_done)
{
	return handled == AVVIK__V1__HANDLED__HANDLED_DONE  ? done
	       : handled == AVVIK__V1__HANDLED__HANDLED_NOT ? not_done
							    : "";
}

static const char *part_text(struct tool *tool, const Avvik__V1__CasePart *part)
{
	const char *law = av_enum_name(&avvik__v1__law__descriptor, (int)part->law);

	if (!part->probability)
		return av_arena_printf(tool->arena, "%s: not assessed", law);
	return av_arena_printf(tool->arena, "%s: probability %u, severity %u, product %u%s, by %s", law,
		part->probability, part->severity, part->probability * part->severity,
		part->high ? ", high" : "", part->assessed_by);
}

static void facts_print(struct tool *tool, struct names *names, const Avvik__V1__Case *found)
{
	printf("Case %s, %s: %s\n\n", found->number,
		ask_words(tool, &avvik__v1__case_kind__descriptor, (int)found->kind),
		ask_words(tool, &avvik__v1__case_state__descriptor, (int)found->state));
	line("unit", names_unit(names, found->unit));
	if (found->limited) {
		line("shown", "no more than that it exists: the lex Sarah officer has it");
		line("received", tool_time(tool, found->received_at_ms));
		line("id", tool_id_text(tool, found->case_id));
		return;
	}
	line("waits for", listed(tool, found->tasks, found->n_tasks));
	line("received", tool_time(tool, found->received_at_ms));
	line("happened", tool_time(tool, found->occurred_at_ms));
	line("noticed", tool_time(tool, found->noticed_at_ms));
	line("recorded", tool_time(tool, found->opened_at_ms));
	line("from", found->principal);
	line("registry", found->registry_number);
	line("laws", laws_text(tool, found));
	line("category", *found->subcategory ? found->subcategory : found->category);
	line("protected", found->protected_identity ? "someone in it has protected personal data" : "");
	line("reporter", found->reporter_named
				 ? (found->contact_given ? "named, can be answered by mail" : "named")
				 : "not named");
	line("remedied", tool_time(tool, found->remedied_at_ms));
	line("informed", found->affected_informed ? "the person concerned is informed"
			 : found->affected	  ? "the person concerned is not informed, and why is noted"
						  : "");
	line("relatives", handled_text(found->relatives, "informed", "not informed, and why is noted"));
	line("own file",
		handled_text(found->file_entry, "documented there", "does not apply, and why is noted"));
	line("police", found->police_report ? ask_words(tool, &avvik__v1__police_report__descriptor,
						      (int)found->police_report)
					    : "");
	line("preliminary", ask_words(tool, &avvik__v1__degree__descriptor, (int)found->preliminary_degree));
	line("investigator", found->investigator);
	line("documented", items_text(tool, found->items_documented));
	line("proposed", ask_words(tool, &avvik__v1__degree__descriptor, (int)found->proposed_degree));
	if (found->probability || found->severity)
		line("risk", av_arena_printf(tool->arena, "probability %u, severity %u", found->probability,
				     found->severity));
	case_joins_print(tool, found);
	line("returns", listed(tool, found->recurs, found->n_recurs));
	line("handler", found->handler);
	for (size_t i = 0; i < found->n_parts; i++)
		line("risk", part_text(tool, found->parts[i]));
	line("decided", found->degree
				? av_arena_printf(tool->arena, "%s, %s",
					  ask_words(tool, &avvik__v1__degree__descriptor, (int)found->degree),
					  tool_time(tool, found->decided_at_ms))
				: "");
	line("serious since", tool_time(tool, found->serious_at_ms));
	if (found->ivo > AVVIK__V1__IVO_STATE__IVO_STATE_NOT_REQUIRED)
		line("IVO", av_arena_printf(tool->arena, "%s%s%s",
				    ask_words(tool, &avvik__v1__ivo_state__descriptor, (int)found->ivo),
				    found->notified_at_ms ? ", notified " : "",
				    tool_time(tool, found->notified_at_ms)));
	requests_print(tool, found);
	if (found->ivo_decided_at_ms)
		line("IVO decided",
			av_arena_printf(tool->arena, "%s, %s",
				ask_words(tool, &avvik__v1__ivo_outcome__descriptor, (int)found->ivo_outcome),
				tool_time(tool, found->ivo_decided_at_ms)));
	line("provider", found->provider_notified_at_ms
				 ? av_arena_printf(tool->arena, "notified IVO %s",
					   tool_time(tool, found->provider_notified_at_ms))
				 : "");
	line("IVO's number", found->ivo_case_number);
	line("opened again", tool_time(tool, found->reopened_at_ms));
	line("was", found->was_deviation ? "a deviation first" : "");
	line("closed", tool_time(tool, found->closed_at_ms));
	if (found->takeover)
		line("taken over",
			av_arena_printf(tool->arena, "from %s, %s there, on %s", found->takeover->system,
				found->takeover->external_id, tool_time(tool, found->takeover->at_ms)));
	line("law", found->legal_reference);
	line("rule pack", found->rules_version);
	line("id", tool_id_text(tool, found->case_id));
	line("version", av_arena_printf(tool->arena, "%llu, of %s", (unsigned long long)found->version,
				tool_time(tool, found->changed_at_ms)));
}

static void measures_print(struct tool *tool, const Avvik__V1__Case *found)
{
	static const char *const headings[] = {
		">measure", "state", "responsible", "to be done", "done", "judged", "id", NULL};
	struct table *table = found->n_measures ? table_create(headings) : NULL;

	for (size_t i = 0; i < found->n_measures; i++) {
		const Avvik__V1__Measure *measure = found->measures[i];
		const Avvik__V1__EffectCheck *last =
			measure->n_checks ? measure->checks[measure->n_checks - 1] : NULL;
		const char *judged = last && !last->settled_at_ms
					     ? (last->manager ? "the investigator's answer is awaited"
							      : "the manager's answer is awaited")
				     : measure->questioned	 ? "to be judged again: it came back"
				     : !measure->evaluated_at_ms ? ""
				     : measure->effective	 ? "effective"
				     : measure->risk_accepted	 ? "not effective, the risk is accepted"
								 : "not effective";
		table_row(table,
			(const char *const[]){ask_number(tool, (int64_t)i + 1),
				ask_words(tool, &avvik__v1__measure_state__descriptor, (int)measure->state),
				measure->responsible, tool_day(tool, measure->planned_end_on),
				tool_time(tool, measure->executed_at_ms), judged,
				tool_id_text(tool, measure->measure_id)});
	}
	if (table)
		printf("\n");
	table_print(&table);
}

int case_show(struct tool *tool, int argc, char **argv)
{
	const char *text = NULL;
	struct names names = names_of(tool);
	Avvik__V1__Reply *reply = NULL;
	int code = EXIT_DONE;

	if (tool_options(tool, argc, argv, NULL, 0, &text, 1) < 0)
		return EXIT_USAGE;
	if (!text)
		return tool_usage("case");
	const Avvik__V1__Case *found = case_fetch(tool, text, &reply, &code);
	if (found && tool->json) {
		tool_print_json(tool, &found->base);
	} else if (found) {
		facts_print(tool, &names, found);
		measures_print(tool, found);
		code = found->limited ? EXIT_DONE : case_deadlines_print(tool, &names, found);
		for (size_t i = 0; i < found->n_acts_possible; i++)
			printf("%s%s",
				i ? ", " : "\npossible now: ", case_act_word(found->acts_possible[i]->name));
		printf("%s", found->n_acts_possible ? "\n" : "");
	}
	tool_reply_free(&reply);
	return code;
}

/* --- list --- */

struct listing {
	struct tool *tool;
	struct case_late *late;
	struct names names;
	struct table *table;
	struct json_list list;
	struct list_limit limit;
	bool duplicates; /* those alone that may be of the same event as another */
};

static const char *duplicates_text(struct tool *tool, const Avvik__V1__Case *found)
{
	const char *text = "";

	for (size_t i = 0; i < found->n_duplicates; i++)
		text = av_arena_printf(
			tool->arena, "%s%s%s", text, i ? ", " : "", found->duplicates[i]->number);
	return text;
}

static void case_print(struct listing *listing, const Avvik__V1__Case *found)
{
	struct tool *tool = listing->tool;

	if (tool->json) {
		json_list_item(&listing->list, tool, &found->base);
		return;
	}
	table_row(listing->table,
		(const char *const[]){found->number,
			ask_words(tool, &avvik__v1__case_kind__descriptor, (int)found->kind),
			ask_words(tool, &avvik__v1__case_state__descriptor, (int)found->state),
			names_unit(&listing->names, found->unit), tool_time(tool, found->received_at_ms),
			case_late_text(tool, listing->late, found),
			ask_words(tool, &avvik__v1__degree__descriptor,
				(int)(found->degree ? found->degree : found->preliminary_degree)),
			found->ivo > AVVIK__V1__IVO_STATE__IVO_STATE_NOT_REQUIRED
				? ask_words(tool, &avvik__v1__ivo_state__descriptor, (int)found->ivo)
				: "",
			listed(tool, found->tasks, found->n_tasks), duplicates_text(tool, found)});
}

static int ask_pages(struct listing *listing, Avvik__V1__ListCases *query)
{
	struct av_id after;
	int code = EXIT_DONE;

	do {
		Avvik__V1__Reply *reply = NULL;
		query->limit = listing->duplicates ? PAGE : (uint32_t)AV_MIN(listing->limit.left + 1, PAGE);
		if (!ask(listing->tool, DAEMON_WORKFLOW, AVVIK__V1__COMMAND__BODY_LIST_CASES, &query->base,
			    &reply, &code))
			return code;
		const Avvik__V1__CasesFound *found =
			reply->body_case == AVVIK__V1__REPLY__BODY_CASES_FOUND ? reply->cases_found : NULL;
		for (size_t i = 0; found && i < found->n_cases && !listing->limit.more; i++) {
			if (listing->duplicates && !found->cases[i]->n_duplicates)
				continue;
			if (limit_take(&listing->limit))
				case_print(listing, found->cases[i]);
		}
		query->after_case_id.len = 0;
		if (found && found->next_after_case_id.len == AV_ID_SIZE) {
			memcpy(after.bytes, found->next_after_case_id.data, AV_ID_SIZE);
			query->after_case_id = ask_id_field(&after);
		}
		tool_reply_free(&reply);
	} while (query->after_case_id.len && !listing->limit.more);
	query->after_case_id = (ProtobufCBinaryData){0}; /* it stood here */
	return code;
}

int case_list(struct tool *tool, int argc, char **argv)
{
	static const char *const headings[] = {"case", "kind", "state", "unit", "received", "overdue",
		"degree", "IVO", "waits for", NULL},
				 *const with_duplicates[] = {"case", "kind", "state", "unit", "received",
					 "overdue", "degree", "IVO", "waits for", "perhaps same as", NULL};
	const char *unit = "", *kind = NULL, *state = NULL;
	bool open_only = false;
	struct listing listing = {.tool = tool, .names = names_of(tool), .limit.left = LIMIT_DEFAULT};
	const struct tool_option words[] = {{"unit", OPTION_TEXT, &unit}, {"kind", OPTION_TEXT, &kind},
		{"state", OPTION_TEXT, &state}, {"open", OPTION_FLAG, &open_only},
		{"duplicates", OPTION_FLAG, &listing.duplicates},
		{"limit", OPTION_NUMBER, &listing.limit.left}};
	Avvik__V1__ListCases query = AVVIK__V1__LIST_CASES__INIT;
	int value = 0;

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), NULL, 0) < 0 || !tool_settings(tool))
		return EXIT_USAGE;
	if (kind && ask_enum(tool, "--kind", &avvik__v1__case_kind__descriptor, kind, &value) != AV_OK)
		return EXIT_USAGE;
	query.kind = (Avvik__V1__CaseKind)value;
	value = 0;
	if (state && ask_enum(tool, "--state", &avvik__v1__case_state__descriptor, state, &value) != AV_OK)
		return EXIT_USAGE;
	if (!limit_sound(&listing.limit))
		return EXIT_USAGE;
	query.state = (Avvik__V1__CaseState)value;
	query.unit = (char *)(uintptr_t)unit;
	query.open_only = open_only;
	query.with_duplicates = listing.duplicates;
	listing.table = tool->json ? NULL : table_create(listing.duplicates ? with_duplicates : headings);
	int code = tool->json ? EXIT_DONE : case_late_ask(tool, unit, &listing.late);
	if (code == EXIT_DONE)
		code = ask_pages(&listing, &query);
	if (tool->json)
		json_list_end(&listing.list);
	else if (table_empty(listing.table) && code == EXIT_DONE)
		printf("no such cases\n");
	else
		table_print(&listing.table);
	table_destroy(&listing.table);
	limit_tell(tool, &listing.limit);
	return code;
}
