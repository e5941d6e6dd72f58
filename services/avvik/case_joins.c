/* case_joins.c - avvik case join, correct; and what a case tells of other reports and of corrections. */
#include <string.h>

#include "ask.h"
#include "base/status.h"
#include "case_tool.h"
#include "grant.h"
#include "report_tool.h"

/* --- join: the other case as it is now --- */

int case_join_seen(struct tool *tool, Avvik__V1__JoinCase *join)
{
	Avvik__V1__GetCase query = AVVIK__V1__GET_CASE__INIT;
	Avvik__V1__Reply *reply = NULL;
	int code;

	if (!join->into_case_id.len) {
		tool_fail(0, "which case is it to stand under? Give --into");
		return AV_INVALID;
	}
	query.case_id = join->into_case_id;
	if (!ask(tool, DAEMON_WORKFLOW, AVVIK__V1__COMMAND__BODY_GET_CASE, &query.base, &reply, &code))
		return AV_IO;
	if (reply->body_case == AVVIK__V1__REPLY__BODY_CASE_FOUND && reply->case_found->case_)
		join->into_version_seen = reply->case_found->case_->version;
	tool_reply_free(&reply);
	return AV_OK;
}

/* --- correct --- */

struct corrected {
	struct tool *tool;
	Avvik__V1__CorrectContent *correct;
	size_t count;
};

/* The references of attachments stand in the narrative, where intake once put them. */
static void keep_attachments(struct tool *tool, const Avvik__V1__FileReport *report)
{
	Avvik__V1__ReportNarrative *narrative = report->narrative;

	if (!narrative || narrative->n_attachment_references)
		return;
	narrative->attachment_references = av_arena_alloc(
		tool->arena, report->n_attachments * sizeof *narrative->attachment_references + 1);
	for (size_t i = 0; narrative->attachment_references && i < report->n_attachments; i++)
		if (*report->attachments[i]->reference)
			narrative->attachment_references[narrative->n_attachment_references++] =
				report->attachments[i]->reference;
}

static int take_report(void *context, const struct report_item *item)
{
	struct corrected *corrected = context;
	const Avvik__V1__FileReport *report;

	if (!item->report) {
		tool_fail(0, "%s: the report cannot be read", item->source);
		ask_tell(item->faults);
		return AV_INVALID;
	}
	report = (const Avvik__V1__FileReport *)av_message_copy(&item->report->base, corrected->tool->arena);
	if (!report)
		return AV_MEMORY;
	keep_attachments(corrected->tool, report);
	corrected->correct->narrative = report->narrative;
	corrected->correct->persons = report->persons;
	corrected->correct->reporter = report->reporter;
	corrected->count++;
	return AV_OK;
}

int case_correct_report(struct tool *tool, const char *path, Avvik__V1__CorrectContent *correct)
{
	struct corrected corrected = {.tool = tool, .correct = correct};
	int status = report_items_each(tool, path, take_report, &corrected);

	if (status == AV_OK && corrected.count != 1) {
		tool_fail(0, "--report: %s holds %zu reports: give the one as it should be", path,
			corrected.count);
		return AV_INVALID;
	}
	return status;
}

int case_correct_erase(struct tool *tool, const char *number, Avvik__V1__Grant *grant)
{
	enum tool_daemon holder;
	int code;
	Avvik__V1__Reply *reply = grant_use(tool, grant, &holder, &code);

	if (reply && reply->body_case == AVVIK__V1__REPLY__BODY_CONTENT_ERASURE && !tool->json)
		printf("  %s has erased what was wrong\n", daemon_names[holder]);
	else if (!reply)
		tool_fail(0,
			"the correction stands, and nobody reads what was wrong any more; but its holder has "
			"not "
			"erased it yet: `avvik case show %s` says how",
			number);
	tool_reply_free(&reply);
	return code;
}

/* --- show --- */

static void line(const char *name, const char *text)
{
	printf("%-16s %s\n", name, text);
}

static const char *parts_text(struct tool *tool, const Avvik__V1__Correction *correction)
{
	const char *text = "";

	for (size_t i = 0; i < correction->n_parts; i++)
		if (correction->parts[i] != AVVIK__V1__CONTENT_PART__CONTENT_PART_CONTACT)
			text = av_arena_printf(tool->arena, "%s%s%s", text, *text ? ", " : "",
				av_enum_name(
					&avvik__v1__content_part__descriptor, (int)correction->parts[i]));
	return text;
}

static void correction_print(
	struct tool *tool, const Avvik__V1__Case *found, const Avvik__V1__Correction *correction)
{
	line("corrected", av_arena_printf(tool->arena, "%s by %s (%s): %s, %s",
				  tool_time(tool, correction->corrected_at_ms), correction->person,
				  correction->role, parts_text(tool, correction), correction->reason));
	if (correction->erased_at_ms)
		line("", av_arena_printf(tool->arena, "what was wrong is erased, %s",
				 tool_time(tool, correction->erased_at_ms)));
	else
		line("", av_arena_printf(tool->arena,
				 "what was wrong is to be erased by %s: avvik content erase %s --content %s "
				 "--reason %s",
				 correction->holder, found->number,
				 tool_id_text(tool, correction->content_id), correction->reason));
}

void case_joins_print(struct tool *tool, const Avvik__V1__Case *found)
{
	if (found->joined_into)
		line("handled in",
			av_arena_printf(tool->arena, "case %s, of the same event, since %s; it was %s then",
				found->joined_into->number, tool_time(tool, found->joined_into->joined_at_ms),
				ask_words(tool, &avvik__v1__case_state__descriptor,
					(int)found->joined_into->state_before)));
	for (size_t i = 0; i < found->n_joined; i++)
		line("handles also",
			av_arena_printf(tool->arena, "the report of case %s, received %s, joined %s",
				found->joined[i]->number, tool_time(tool, found->joined[i]->received_at_ms),
				tool_time(tool, found->joined[i]->joined_at_ms)));
	for (size_t i = 0; i < found->n_duplicates; i++) {
		const Avvik__V1__LikelyDuplicate *likely = found->duplicates[i];
		line(i ? "" : "perhaps same as",
			av_arena_printf(tool->arena, "case %s, %s, %s, of %s%s", likely->number,
				ask_words(tool, &avvik__v1__case_kind__descriptor, (int)likely->kind),
				ask_words(tool, &avvik__v1__case_state__descriptor, (int)likely->state),
				tool_time(tool, likely->occurred_at_ms),
				likely->same_category ? ", same category" : ""));
	}
	if (found->n_duplicates)
		line("", av_arena_printf(tool->arena,
				 "the same event: avvik case join %s --into %s; another: avvik case not-same "
				 "%s --other %s",
				 found->number, found->duplicates[0]->number, found->number,
				 found->duplicates[0]->number));
	for (size_t i = 0; i < found->n_corrections; i++)
		correction_print(tool, found, found->corrections[i]);
}

/* A macro, so that formats stay literals that the compiler can check. */
#define IN(english, swedish_text) (swedish ? (swedish_text) : (english))

void case_joins_tell(struct tool *tool, const Avvik__V1__Case *found, bool swedish)
{
	const char *number = found->number;

	if (found->joined_into)
		printf(IN("Case %s is handled in case %s since %s: its deadlines ended then\n",
			       "Ärende %s handläggs i ärende %s sedan %s: fristerna upphörde då\n"),
			number, found->joined_into->number,
			tool_time(tool, found->joined_into->joined_at_ms));
	for (size_t i = 0; i < found->n_joined; i++)
		printf(IN("Case %s handles the report of case %s too, received %s: the first receipt "
			  "counts\n",
			       "Ärende %s gäller även rapporten i ärende %s, mottagen %s: det första "
			       "mottagandet räknas\n"),
			number, found->joined[i]->number, tool_time(tool, found->joined[i]->received_at_ms));
	for (size_t i = 0; i < found->n_corrections; i++)
		printf(IN("Case %s was corrected %s (%s): %s\n", "Ärende %s rättades %s (%s): %s\n"), number,
			tool_time(tool, found->corrections[i]->corrected_at_ms),
			found->corrections[i]->reason, parts_text(tool, found->corrections[i]));
	if (found->joined_into || found->n_joined || found->n_corrections)
		printf("\n");
}
