/* check_notices.c - every event of a case is known to notification once, every notice decided once, and each
 * one's end agrees with what has arrived in the mailbox
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name

struct told_notice {
	const Avvik__V1__Notice *notice;
	bool delivered, given_up, perhaps_twice;
};

static int by_id(const void *a, const void *b)
{
	return memcmp(a, b, AV_ID_SIZE);
}

static bool sorted_has(const struct av_id *ids, size_t count, struct av_id id)
{
	return bsearch(&id, ids, count, sizeof *ids, by_id) != NULL;
}

/* What changes the facts that notices need to know, and a rung, which always has somebody to tell. */
static bool concerns(const Avvik__V1__Event *event)
{
	static const unsigned int numbers[] = {EVENT(CASE_OPENED), EVENT(CASE_PLACED), EVENT(REPORTER_NAMED),
		EVENT(CASE_ASSESSED_INITIALLY), EVENT(CASE_DECIDED), EVENT(MEASURE_PROPOSED),
		EVENT(PROPOSAL_DECIDED), EVENT(EFFECT_JUDGED), EVENT(MEASURE_DECIDED),
		EVENT(CASE_TAKEN_FOR_REVIEW), EVENT(COMPLETION_REQUESTED), EVENT(COMPLETION_ANSWERED),
		EVENT(INQUIRY_BEGUN), EVENT(HIGH_RISK_FOUND), EVENT(INQUIRY_COMPLETED),
		EVENT(CASE_TURNED_LEX_SARAH), EVENT(CASE_RECONSIDERED), EVENT(CASE_RETURNED_TO_DEVIATION),
		EVENT(CASE_REOPENED), EVENT(INFORMATION_REGISTERED), EVENT(PROVIDER_NOTIFIED),
		EVENT(CASE_CLOSED), EVENT(CASE_RULES_SET), EVENT(RUNG_FIRED)};
	for (size_t i = 0; i < AV_COUNT(numbers); i++)
		if (numbers[i] == (unsigned int)event->body_case)
			return true;
	return false;
}

/* Each event of a case is taken in once; one for which a rule pack or a contact is missing yet may wait, but
 * not for ever.
 */
static void check_known(struct world *w, const struct events *workflow, const struct events *events, bool end)
{
	struct av_id *known = calloc(events->count + 1, sizeof *known);
	size_t count = 0;
	if (!known)
		abort();
	for (size_t i = 0; i < events->count; i++)
		if (events->at[i]->body_case == EVENT(CASE_KNOWN))
			known[count++] = sim_id(events->at[i]->cause_id);
	qsort(known, count, sizeof *known, by_id);
	for (size_t i = 1; i < count; i++)
		SIM_EXPECT(w, memcmp(&known[i - 1], &known[i], sizeof *known) != 0,
			"notification: an event of a case was taken in twice");
	for (size_t i = 0; i < workflow->count; i++)
		SIM_EXPECT(w,
			!end || !concerns(workflow->at[i]) ||
				sorted_has(known, count, sim_id(workflow->at[i]->event_id)),
			"notification: event %llu of workflow (%s, rules \"%s\") was never taken in",
			(unsigned long long)workflow->at[i]->sequence,
			((const ProtobufCMessageDescriptor *)av_body_field(&workflow->at[i]->base)
					->descriptor)
				->short_name,
			workflow->at[i]->body_case == EVENT(CASE_OPENED)
				? workflow->at[i]->case_opened->rules_version
				: "");
	free(known);
}

static struct told_notice *notice_of(struct told_notice *notices, size_t count, ProtobufCBinaryData id)
{
	for (size_t i = count; i-- > 0;)
		if (notices[i].notice->notice_id.len == id.len &&
			memcmp(notices[i].notice->notice_id.data, id.data, id.len) == 0)
			return &notices[i];
	return NULL;
}

/* (event, rule, person, channel) */
static bool same_notice(const Avvik__V1__Notice *a, const Avvik__V1__Notice *b)
{
	return a->cause_id.len == b->cause_id.len &&
	       memcmp(a->cause_id.data, b->cause_id.data, a->cause_id.len) == 0 &&
	       strcmp(a->rule, b->rule) == 0 && strcmp(a->person, b->person) == 0 &&
	       strcmp(a->channel, b->channel) == 0;
}

static void check_end(struct world *w, const struct told_notice *each, bool end)
{
	const Avvik__V1__Notice *notice = each->notice;
	unsigned int arrived = mail_count(w, notice->notice_id);
	bool restored = w->count.restores > 0;
	SIM_EXPECT(w, !each->delivered || arrived > 0 || restored,
		"notification: notice %s is delivered, and never arrived", sim_hex(notice->notice_id));
	SIM_EXPECT(w, arrived < 2 || each->perhaps_twice || !each->delivered || restored,
		"notification: notice %s arrived %u times, and is not counted as perhaps twice",
		sim_hex(notice->notice_id), arrived);
	SIM_EXPECT(w, !end || each->delivered || each->given_up,
		"notification: notice %s (%s, %s) is neither delivered nor given up",
		sim_hex(notice->notice_id), notice->rule, notice->event);
}

void check_notices(struct world *w, const struct events *workflow, const struct events *events, bool end)
{
	struct told_notice *notices = calloc(events->count + 1, sizeof *notices);
	size_t count = 0;
	if (!notices)
		abort();
	check_known(w, workflow, events, end);
	for (size_t i = 0; i < events->count; i++) {
		const Avvik__V1__Event *event = events->at[i];
		struct told_notice *found = NULL;
		switch (event->body_case) {
		case EVENT(NOTICE_DECIDED):
			notices[count] = (struct told_notice){.notice = event->notice_decided->notice};
			/* Those of one event are decided together. */
			for (size_t k = count; k-- > 0 && count - k < 400;)
				SIM_EXPECT(w, !same_notice(notices[k].notice, notices[count].notice),
					"notification: notice %s is decided twice",
					sim_hex(notices[count].notice->notice_id));
			count++;
			continue;
		case EVENT(NOTICE_DELIVERED):
			found = notice_of(notices, count, event->notice_delivered->notice_id);
			SIM_EXPECT(w, found && !found->delivered,
				"notification: event %llu delivers what does not wait",
				(unsigned long long)event->sequence);
			found->delivered = true;
			found->perhaps_twice |= event->notice_delivered->perhaps_twice;
			found->given_up = false;
			continue;
		case EVENT(NOTICE_GIVEN_UP):
			found = notice_of(notices, count, event->notice_given_up->notice_id);
			SIM_EXPECT(w, found && !found->delivered && !found->given_up,
				"notification: event %llu gives up what does not wait",
				(unsigned long long)event->sequence);
			found->given_up = true;
			continue;
		case EVENT(NOTICE_RETRIED):
			found = notice_of(notices, count, event->notice_retried->notice_id);
			SIM_EXPECT(w, found, "notification: event %llu retries nothing",
				(unsigned long long)event->sequence);
			found->perhaps_twice = true; /* a person wants it again, whatever has arrived */
			found->given_up = false;
			continue;
		default:
			continue;
		}
	}
	for (size_t i = 0; i < count; i++)
		check_end(w, &notices[i], end);
	free(notices);
}
