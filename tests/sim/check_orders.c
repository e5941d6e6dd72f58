/* check_orders.c - what was promised to senders: each acknowledged command has its effect exactly once, each
 * refused one none
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name

struct tally {
	unsigned int reports, acts;
};

static const unsigned int act_events[] = {EVENT(CASE_PLACED), EVENT(REPORTER_NAMED), EVENT(CASE_REMEDIED),
	EVENT(AFFECTED_INFORMED), EVENT(CASE_ASSESSED_INITIALLY), EVENT(SERIOUS_FOUND), EVENT(ENTRY_RECORDED),
	EVENT(INVESTIGATION_COMPLETED), EVENT(CASE_DECIDED), EVENT(IVO_NOTIFIED),
	EVENT(INVESTIGATION_HANDED_IN), EVENT(MEASURE_PROPOSED), EVENT(PROPOSAL_DECIDED),
	EVENT(MEASURE_DECIDED), EVENT(NO_MEASURES_DECIDED), EVENT(MEASURE_EXECUTED),
	EVENT(EFFECT_JUDGED), /* MeasureEvaluated comes with the last answer */
	EVENT(CASE_CLOSED), EVENT(CASE_TAKEN_FOR_REVIEW), EVENT(COMPLETION_REQUESTED),
	EVENT(COMPLETION_ANSWERED), EVENT(INQUIRY_BEGUN), EVENT(RISK_ASSESSED), EVENT(INQUIRY_COMPLETED),
	EVENT(CASE_TURNED_LEX_SARAH), EVENT(RELATIVES_INFORMED), EVENT(FILE_ENTRY_CONFIRMED),
	EVENT(POLICE_REPORT_DECIDED), EVENT(REGISTRY_NUMBER_SET), EVENT(IVO_DUTY_LIFTED),
	EVENT(IVO_REQUESTED), EVENT(IVO_ANSWERED), EVENT(IVO_DECIDED), EVENT(CASE_RECONSIDERED),
	EVENT(CASE_RETURNED_TO_DEVIATION), EVENT(CASE_REOPENED), EVENT(INFORMATION_REGISTERED),
	EVENT(PROVIDER_NOTIFIED), EVENT(CASE_JOINED), EVENT(CASE_PARTED), EVENT(DUPLICATE_DISMISSED)};

/* A deadline that a fact stops, or lets go on, has no motive. */
static bool of_deadline(const Avvik__V1__Event *event)
{
	switch (event->body_case) {
	case EVENT(DEADLINE_STOPPED):
		return event->deadline_stopped->content;
	case EVENT(DEADLINE_RESUMED):
		return event->deadline_resumed->content;
	case EVENT(DEADLINE_EXTENDED):
		return event->deadline_extended->content;
	default:
		return false;
	}
}

static bool is_act(const Avvik__V1__Event *event)
{
	if (!event->actor || !*event->actor->person)
		return false;
	if (event->body_case == AVVIK__V1__EVENT__BODY_CASE_TURNED_LEX_SARAH &&
		event->case_turned_lex_sarah->cause == AVVIK__V1__TURN_CAUSE__TURN_CAUSE_THRESHOLD)
		return false; /* it comes with the risk */
	for (size_t i = 0; i < AV_COUNT(act_events); i++)
		if (act_events[i] == (unsigned int)event->body_case)
			return true;
	return of_deadline(event);
}

static bool same_act(const struct order *order, const Avvik__V1__Event *event)
{
	struct av_id case_id = sim_id(event->case_id);
	return memcmp(&case_id, &order->case_id, sizeof case_id) == 0 &&
	       strcmp(order->person, event->actor->person) == 0;
}

/* By its instant, which no other act has. When the clock was put back, acts of the future are cut to the
 * present. */
static struct order *act_of(struct world *w, const Avvik__V1__Event *event, const struct tally *tallies)
{
	for (size_t k = 0; k < w->order_count; k++)
		if (w->orders[k]->kind == ORDER_ACT && w->orders[k]->acted_at_ms == event->occurred_at_ms &&
			same_act(w->orders[k], event))
			return w->orders[k];
	for (size_t k = 0; k < w->order_count; k++)
		if (w->orders[k]->kind == ORDER_ACT && w->orders[k]->state == ORDER_DONE &&
			w->orders[k]->acted_at_ms > event->recorded_at_ms &&
			event->occurred_at_ms == event->recorded_at_ms && tallies[k].acts == 0 &&
			same_act(w->orders[k], event))
			return w->orders[k];
	return NULL;
}

/* Turned at a private provider's unit, it is found to be the provider's in the same write. */
static bool comes_with_turning(const struct events *workflow, size_t i)
{
	const Avvik__V1__Event *event = workflow->at[i];
	struct av_id id = sim_id(event->case_id);
	if (event->body_case != EVENT(CASE_PLACED))
		return false;
	for (size_t k = i; k-- > 0 && workflow->at[k]->recorded_at_ms == event->recorded_at_ms;) {
		struct av_id other = sim_id(workflow->at[k]->case_id);
		if (workflow->at[k]->body_case == EVENT(CASE_TURNED_LEX_SARAH) &&
			workflow->at[k]->occurred_at_ms == event->occurred_at_ms &&
			memcmp(&id, &other, sizeof id) == 0)
			return true;
	}
	return false;
}

static void tally_acts(struct world *w, const struct events *workflow, struct tally *tallies)
{
	for (size_t i = 0; i < workflow->count; i++) {
		const Avvik__V1__Event *event = workflow->at[i];
		if (!is_act(event) || comes_with_turning(workflow, i))
			continue;
		struct order *found = act_of(w, event, tallies);
		SIM_EXPECT(w, found, "workflow: event %llu (%s by %s, at %lld) is an act that nobody sent",
			(unsigned long long)event->sequence,
			((const ProtobufCMessageDescriptor *)av_body_field(&event->base)->descriptor)
				->short_name,
			event->actor->person, (long long)event->occurred_at_ms);
		tallies[found->id - 1].acts++;
	}
}

static void tally_reports(struct world *w, const struct events *intake, struct tally *tallies)
{
	for (size_t i = 0; i < intake->count; i++) {
		const Avvik__V1__Event *event = intake->at[i];
		unsigned int id = 0;
		if (event->body_case != EVENT(REPORT_FILED))
			continue;
		SIM_EXPECT(w,
			sscanf(event->report_filed->registry_number, "SIM-%u", &id) == 1 && id > 0 &&
				id <= w->order_count,
			"intake: event %llu is a report that nobody sent",
			(unsigned long long)event->sequence);
		tallies[id - 1].reports++;
	}
}

static unsigned int published(const struct events *intake, const struct order *order)
{
	unsigned int count = 0;
	for (size_t i = 0; i < intake->count; i++) {
		const Avvik__V1__Event *event = intake->at[i];
		if (event->body_case == EVENT(DIRECTORY_PUBLISHED))
			count += strcmp(event->directory_published->directory->version, order->version) == 0;
		if (event->body_case == EVENT(RULES_PUBLISHED))
			count += strcmp(event->rules_published->rules->version, order->version) == 0;
	}
	return count;
}

static unsigned int supplemented(const struct events *intake, const struct order *order)
{
	unsigned int count = 0;
	for (size_t i = 0; i < intake->count; i++) {
		const Avvik__V1__Event *event = intake->at[i];
		if (event->body_case != EVENT(REPORT_SUPPLEMENTED))
			continue;
		const Avvik__V1__ContentRef *ref = event->report_supplemented->content;
		count += order->receipt && ref &&
			 order->receipt->leaf->commitment.len == ref->commitment.len &&
			 memcmp(order->receipt->leaf->commitment.data, ref->commitment.data,
				 ref->commitment.len) == 0;
	}
	return count;
}

/* Once, whoever tells it how often. */
static unsigned int told_by_provider(const struct events *workflow, const struct order *order)
{
	unsigned int count = 0;
	for (size_t i = 0; i < workflow->count; i++) {
		const Avvik__V1__Event *event = workflow->at[i];
		struct av_id id = sim_id(event->case_id);
		count += event->body_case == EVENT(PROVIDER_NOTIFIED) &&
			 event->provider_notified->by_provider &&
			 memcmp(&id, &order->case_id, sizeof id) == 0;
	}
	return count;
}

static void check_receipt(struct world *w, const struct order *order, const struct events *intake)
{
	uint64_t sequence = order->receipt->leaf->sequence;
	SIM_EXPECT(w, sequence > 0 && sequence <= intake->count,
		"order %u: its receipt speaks of event %llu, and there is none", order->id,
		(unsigned long long)sequence);
	const Avvik__V1__Event *event = intake->at[sequence - 1];
	struct av_id id = sim_id(event->case_id);
	SIM_EXPECT(w, memcmp(&id, &order->case_id, sizeof id) == 0,
		"order %u: its receipt speaks of another report", order->id);
}

void check_orders(struct world *w, const struct events intake[1], const struct events workflow[1])
{
	struct tally *tallies = calloc(w->order_count + 1, sizeof *tallies);
	if (!tallies)
		abort();
	tally_reports(w, intake, tallies);
	tally_acts(w, workflow, tallies);
	for (size_t i = 0; i < w->order_count; i++) {
		const struct order *order = w->orders[i];
		unsigned int effects, want = order->state == ORDER_DONE;
		switch (order->kind) {
		case ORDER_REPORT:
			effects = tallies[i].reports;
			break;
		case ORDER_ACT:
			effects = tallies[i].acts;
			break;
		case ORDER_PUBLISH:
			effects = published(intake, order);
			break;
		case ORDER_TELL:
			effects = want ? told_by_provider(workflow, order) : 0;
			break;
		case ORDER_SUPPLEMENT:
			effects = want ? supplemented(intake, order) : 0;
			break;
		default:
			continue;
		}
		SIM_EXPECT(w, effects == want, "order %u (%s, command %u) has %u effects", order->id,
			want ? "done" : "refused", order->number, effects);
		if (order->kind == ORDER_REPORT && want)
			check_receipt(w, order, intake);
	}
	free(tallies);
}
