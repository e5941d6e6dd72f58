/* officials.c - content read and erased on a grant, what the administrator decides, and a private provider's own system
 */
#include "people_inner.h"

#include <string.h>

/* --- content --- */

void people_ask_grant(struct world *w)
{
	const Avvik__V1__Case *found = people_case(w);
	bool erase = chance(w, 4) == 0;
	if (!found)
		return;
	const char *person = people_actor(w, erase ? "erase_content" : "read_content", found);
	if (!*person)
		return;
	Avvik__V1__EraseContent *erasing = NEW(w, EraseContent, erase_content);
	Avvik__V1__ReadContent *reading = NEW(w, ReadContent, read_content);
	erasing->case_id = reading->case_id = people_copy(w, found->case_id);
	erasing->reason = TEXT("gallring");
	reading->purpose = TEXT("utredning");
	struct order *made = order_new(w, ORDER_GRANT, CASES, WORKFLOW, person,
		erase ? COMMAND(ERASE_CONTENT) : COMMAND(READ_CONTENT),
		erase ? &erasing->base : &reading->base);
	made->erasing = erase;
	made->case_id = sim_id(found->case_id);
}

struct order *people_open_grants(struct world *w, struct order *order, const Avvik__V1__GrantIssued *issued)
{
	struct order *made = NULL;
	for (size_t i = 0; i < issued->n_grants; i++) {
		Avvik__V1__OpenContent *open = NEW(w, OpenContent, open_content);
		ProtobufCMessage *body;
		open->grant = (Avvik__V1__Grant *)av_message_copy(&issued->grants[i]->base, w->arena);
		if (av_message_load(&avvik__v1__grant_body__descriptor,
			    av_bytes(open->grant->body.data, open->grant->body.len), w->scratch, &body) < 0)
			sim_fail(w, "order %u: a grant that cannot be read", order->id);
		const Avvik__V1__GrantBody *grant = (const Avvik__V1__GrantBody *)body;
		int holder =
			grant->n_items && strcmp(grant->items[0]->holder, "intake") == 0 ? INTAKE : WORKFLOW;
		made = order_new(
			w, ORDER_OPEN, CASES, holder, order->person, COMMAND(OPEN_CONTENT), &open->base);
		made->once = true;
		made->erasing = order->erasing;
	}
	return made;
}

/* --- the administrator --- */

static void resolve_event(struct world *w, int node, const char *feed, uint64_t sequence)
{
	Avvik__V1__ResolveQuarantine *order = NEW(w, ResolveQuarantine, resolve_quarantine);
	order->feed = av_arena_strdup(w->arena, feed);
	order->sequence = sequence;
	order->action = AVVIK__V1__QUARANTINE_ACTION__QUARANTINE_ACTION_RETRY;
	order->reason = TEXT("simulation");
	order_new(w, ORDER_ADMIN, ADMIN, node, NULL, COMMAND(RESOLVE_QUARANTINE), &order->base);
}

static void resolve_feed(struct world *w, int node, const char *feed)
{
	Avvik__V1__ResolveFeed *order = NEW(w, ResolveFeed, resolve_feed);
	order->feed = av_arena_strdup(w->arena, feed);
	order->action = AVVIK__V1__FEED_ACTION__FEED_ACTION_RESTART;
	order->reason = TEXT("simulation");
	order_new(w, ORDER_ADMIN, ADMIN, node, NULL, COMMAND(RESOLVE_FEED), &order->base);
}

static bool asked_already(struct world *w, int node)
{
	for (size_t i = 0; i < w->order_count; i++)
		if (w->orders[i]->kind == ORDER_ADMIN && w->orders[i]->node == node &&
			(w->orders[i]->state == ORDER_WAITING || w->orders[i]->state == ORDER_SENT))
			return true;
	return false;
}

void people_resolve(struct world *w)
{
	Avvik__V1__ListQuarantine list = AVVIK__V1__LIST_QUARANTINE__INIT;
	for (int node = 0; node < NODES; node++) {
		struct node *n = &w->nodes[node];
		if (!n->up || asked_already(w, node))
			continue;
		const Avvik__V1__Reply *reply = node_ask(n, ADMIN, COMMAND(LIST_QUARANTINE), &list.base);
		const Avvik__V1__QuarantineFound *found = reply ? reply->quarantine_found : NULL;
		for (size_t i = 0; found && i < found->n_items; i++) {
			if (found->items[i]->waiting)
				continue;
			SIM_EXPECT(w, found->items[i]->attempts < 4,
				"%s: event %llu of %s (%s) stays in quarantine: %s", n->service.name,
				(unsigned long long)found->items[i]->sequence, found->items[i]->feed,
				found->items[i]->event, found->items[i]->cause);
			resolve_event(w, node, found->items[i]->feed, found->items[i]->sequence);
		}
		for (size_t i = 0; i < n->follow_count; i++)
			if (n->follows[i].refused && n->follows[i].has_refused_head && !n->to_restore)
				resolve_feed(w, node, n->follows[i].name);
	}
}

void people_retry_notice(struct world *w)
{
	Avvik__V1__ListNotices list = AVVIK__V1__LIST_NOTICES__INIT;
	list.state = AVVIK__V1__NOTICE_STATE__NOTICE_STATE_GIVEN_UP;
	list.limit = 20;
	const Avvik__V1__Reply *reply =
		node_ask(&w->nodes[NOTIFICATION], ADMIN, COMMAND(LIST_NOTICES), &list.base);
	if (!reply || !reply->notices_found || !reply->notices_found->n_notices)
		return;
	const Avvik__V1__NoticesFound *found = reply->notices_found;
	Avvik__V1__RetryNotice *order = NEW(w, RetryNotice, retry_notice);
	order->notice_id = people_copy(w, found->notices[chance(w, found->n_notices)]->notice_id);
	order->reason = TEXT("simulation");
	order_new(w, ORDER_ADMIN, ADMIN, NOTIFICATION, NULL, COMMAND(RETRY_NOTICE), &order->base);
}

/* Open cases go over to the pack that was published last. */
void people_apply_rules(struct world *w)
{
	if (!w->last_pack || w->last_pack->state != ORDER_DONE || asked_already(w, WORKFLOW))
		return;
	Avvik__V1__ApplyRules *order = NEW(w, ApplyRules, apply_rules);
	order->version = TEXT(w->last_pack->version);
	order->reason = TEXT("simulation");
	order_new(w, ORDER_ADMIN, ADMIN, WORKFLOW, NULL, COMMAND(APPLY_RULES), &order->base);
}

/* --- a private provider's system --- */

static bool of_provider(struct world *w, const struct order *report)
{
	Avvik__V1__GetCase get = AVVIK__V1__GET_CASE__INIT;
	get.case_id = (ProtobufCBinaryData){AV_ID_SIZE, (uint8_t *)(uintptr_t)report->case_id.bytes};
	const Avvik__V1__Reply *reply = node_ask(&w->nodes[WORKFLOW], CASES, COMMAND(GET_CASE), &get.base);
	return reply && reply->case_found &&
	       reply->case_found->case_->kind == AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION;
}

void people_tell_notification(struct world *w)
{
	struct order *report = NULL;
	for (int i = 0; i < 20; i++) {
		report = people_report(w);
		if (!report || of_provider(w, report))
			break;
	}
	if (!report)
		return;
	Avvik__V1__TellNotification *tell = NEW(w, TellNotification, tell_notification);
	tell->report_id = people_copy(w, (ProtobufCBinaryData){AV_ID_SIZE, report->case_id.bytes});
	tell->notified_at_ms = people_ago(w, INT64_C(86400000));
	tell->ivo_case_number = TEXT("8.7-4712/2026");
	order_new(w, ORDER_TELL, report->client, WORKFLOW, NULL, COMMAND(TELL_NOTIFICATION), &tell->base)
		->case_id = report->case_id;
}
