/* why_told.c - who was told by a rung
 *
 * A notice names the deadline and the kind of rung. Of several rungs of a kind it follows from the last one
 * that had fired when it was decided.
 */
#include "why_told.h"

#include <string.h>

#include "ask.h"
#include "base/ids.h"
#include "wire/message.h"

#define PAGES_MOST 20

struct told told_of(struct tool *tool, struct av_id *case_id)
{
	struct told told = {.pages = av_arena_zalloc(tool->arena, PAGES_MOST * sizeof *told.pages)};
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__ListNotices query = AVVIK__V1__LIST_NOTICES__INIT;

	query.case_id = ask_id_field(case_id);
	query.limit = 500;
	command.body_case = AVVIK__V1__COMMAND__BODY_LIST_NOTICES;
	command.list_notices = &query;
	while (told.pages && told.count < PAGES_MOST) {
		Avvik__V1__Reply *reply = tool_call(tool, DAEMON_NOTIFICATION, &command);
		bool found = reply && reply->status == AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE &&
			     reply->body_case == AVVIK__V1__REPLY__BODY_NOTICES_FOUND;
		const Avvik__V1__NoticesFound *page =
			found ? (const Avvik__V1__NoticesFound *)av_message_copy(
					&reply->notices_found->base, tool->arena)
			      : NULL;
		tool_reply_free(&reply);
		if (!page) {
			told.away = true;
			break;
		}
		told.pages[told.count++] = page;
		if (!page->next_after_notice_id.len)
			break;
		query.after_notice_id = page->next_after_notice_id;
	}
	return told;
}

static bool follows_from(const Avvik__V1__Notice *notice, const Avvik__V1__Deadline *deadline, size_t rung)
{
	const Avvik__V1__RungPlanned *fired = deadline->rungs[rung];

	if (notice->rung != fired->kind || !fired->fired_at_ms ||
		notice->decided_at_ms < fired->fired_at_ms ||
		notice->deadline_id.len != deadline->deadline_id.len ||
		memcmp(notice->deadline_id.data, deadline->deadline_id.data, notice->deadline_id.len) != 0)
		return false;
	for (size_t i = rung + 1; i < deadline->n_rungs; i++)
		if (deadline->rungs[i]->kind == fired->kind && deadline->rungs[i]->fired_at_ms &&
			deadline->rungs[i]->fired_at_ms <= notice->decided_at_ms)
			return false;
	return true;
}

/* A rung that reached nobody leaves no notice, only that: caused by an event, and the id of an event has its time. */
static bool reached_nobody(const struct told *told, const Avvik__V1__RungPlanned *fired)
{
	const Avvik__V1__NoticesFound *page = told->count ? told->pages[0] : NULL; /* all stand on each */

	for (size_t i = 0; page && fired->fired_at_ms && i < page->n_unreachable; i++) {
		struct av_id cause;
		if (page->unreachable[i]->cause_id.len != AV_ID_SIZE)
			continue;
		memcpy(cause.bytes, page->unreachable[i]->cause_id.data, AV_ID_SIZE);
		if (av_id_ms(&cause) == fired->fired_at_ms)
			return true;
	}
	return false;
}

const char *told_by_rung(struct tool *tool, const struct told *told, const Avvik__V1__Deadline *deadline,
	size_t rung, bool swedish)
{
	const char *text = "";

	for (size_t i = 0; i < told->count; i++)
		for (size_t j = 0; j < told->pages[i]->n_notices; j++) {
			const Avvik__V1__Notice *notice = told->pages[i]->notices[j];
			if (!follows_from(notice, deadline, rung))
				continue;
			text = av_arena_printf(tool->arena, "%s%s%s%s%s", text, *text ? ", " : "",
				*notice->person ? notice->person
				: swedish	? "rapportören"
						: "the reporter",
				*notice->deputy_for ? (swedish ? " för " : " for ") : "", notice->deputy_for);
		}
	if (!*text && reached_nobody(told, deadline->rungs[rung]))
		return swedish ? "nådde ingen" : "reached nobody";
	return text;
}
