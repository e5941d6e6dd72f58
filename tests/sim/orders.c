/* orders.c - commands on their way, replies on theirs, and what a sender knows of each
 *
 * A connection keeps its order; when it is cut, a tail of what was under way is lost, in both directions. A
 * sender that hears nothing sends the same again, as libavvik does: the same reference, perhaps another
 * message id. From the first definite reply on the answer may not change any more.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#include "seal/receipt.h"

#define STATUS(name) AVVIK__V1__REPLY_STATUS__REPLY_STATUS_##name

void line_init(struct line *line)
{
	*line = (struct line){.first = NULL};
	line->last = &line->first;
}

void line_push(struct line *line, struct packet *packet)
{
	packet->next = NULL;
	*line->last = packet;
	line->last = &packet->next;
	line->count++;
}

struct packet *line_pop(struct line *line)
{
	struct packet *packet = line->first;
	if (!packet)
		return NULL;
	line->first = packet->next;
	if (!line->first)
		line->last = &line->first;
	line->count--;
	return packet;
}

static void line_cut(struct line *line, size_t keep)
{
	struct packet **at = &line->first;
	for (size_t i = 0; i < keep && *at; i++)
		at = &(*at)->next;
	for (struct packet *packet = *at, *next; packet; packet = next) {
		next = packet->next;
		free(packet);
		line->count--;
	}
	*at = NULL;
	line->last = at;
}

void line_clear(struct line *line)
{
	line_cut(line, 0);
}

struct packet *packet_new(struct order *order, struct av_bytes bytes)
{
	struct packet *packet = calloc(1, sizeof *packet + bytes.size);
	if (!packet)
		abort();
	packet->order = order;
	packet->size = bytes.size;
	packet->data = (unsigned char *)(packet + 1);
	memcpy(packet->data, bytes.data, bytes.size);
	return packet;
}

struct order *order_new(struct world *w, enum order_kind kind, int client, int node, const char *person,
	unsigned int number, ProtobufCMessage *body)
{
	struct order *order = av_arena_zalloc(w->arena, sizeof *order);
	if (w->order_count == w->order_room) {
		w->order_room = w->order_room ? 2 * w->order_room : 256;
		w->orders = realloc(w->orders, w->order_room * sizeof *w->orders);
		if (!w->orders)
			abort();
	}
	w->orders[w->order_count++] = order;
	*order = (struct order){.world = w,
		.id = (unsigned int)w->order_count,
		.kind = kind,
		.client = client,
		.node = node,
		.number = number,
		.body = body,
		.person = person ? av_arena_strdup(w->arena, person) : NULL};
	order->reference = av_arena_printf(w->arena, "sim-%06u", order->id);
	return order;
}

void order_send(struct order *order)
{
	struct world *w = order->world;
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	char message_id[40];
	command.reference = (char *)(uintptr_t)order->reference;
	if (order->person)
		command.on_behalf_of = (char *)(uintptr_t)order->person;
	command.sent_at_ms = w->now_ms;
	snprintf(message_id, sizeof message_id, "m-%u-%u", order->id, order->sent);
	command.message_id = message_id;
	av_body_set(&command.base, order->number, order->body);
	struct av_bytes wire = av_message_pack(&command.base, w->scratch);
	struct packet *packet = packet_new(order, wire);
	packet->connection = w->connections[order->client][order->node];
	line_push(&w->up[order->client][order->node], packet);
	order->out++;
	if (order->sent++)
		w->count.repeats++;
	order->state = ORDER_SENT;
}

/* --- cuts --- */

static void disconnect(struct world *w, int client, int node, size_t keep)
{
	struct line *down = &w->down[client][node];
	for (; keep > 0; keep--) { /* what came before the cut */
		struct packet *packet = line_pop(down);
		order_reply(packet->order, packet);
		free(packet);
	}
	line_clear(down);
	w->connections[client][node]++;
	for (size_t i = 0; i < w->order_count; i++) {
		struct order *order = w->orders[i];
		if (order->client != client || order->node != node)
			continue;
		order->out = 0;
		if (order->state == ORDER_SENT)
			order->state = order->once ? ORDER_UNKNOWN : ORDER_WAITING;
	}
}

void link_cut(struct world *w, int client, int node)
{
	line_cut(&w->up[client][node], chance(w, w->up[client][node].count + 1));
	disconnect(w, client, node, chance(w, w->down[client][node].count + 1));
	w->count.cuts++;
}

void link_drop(struct world *w, int node)
{
	for (int client = 0; client < CLIENTS; client++) {
		line_clear(&w->up[client][node]);
		disconnect(w, client, node, chance(w, w->down[client][node].count + 1));
	}
}

/* --- replies --- */

static bool definite(int status)
{
	return status != STATUS(BUSY) && status != STATUS(FULL);
}

static struct av_bytes canonical(struct order *order)
{
	return av_message_pack(order->body, order->world->scratch);
}

static void take_report(struct order *order, const Avvik__V1__Reply *reply, bool first)
{
	struct world *w = order->world;
	const char *why = "";
	const Avvik__V1__ReportAccepted *accepted = reply->report_accepted;
	SIM_EXPECT(w, reply->body_case == AVVIK__V1__REPLY__BODY_REPORT_ACCEPTED && accepted->receipt,
		"order %u: a report was accepted without a receipt", order->id);
	struct av_id id = sim_id(accepted->report_id);
	SIM_EXPECT(w, first || order->kind != ORDER_REPORT || memcmp(&id, &order->case_id, sizeof id) == 0,
		"order %u: the same reference gave two reports", order->id);
	int status = av_receipt_check(accepted->receipt, w->nodes[INTAKE].sign_public,
		accepted->receipt->erased ? av_bytes(NULL, 0) : canonical(order), w->scratch, &why);
	SIM_EXPECT(w, status == AV_OK, "order %u: the receipt does not verify: %s", order->id, why);
	if (first) {
		order->case_id = id;
		order->receipt = (Avvik__V1__Receipt *)av_message_copy(&accepted->receipt->base, w->arena);
	}
}

static void take_done(struct order *order, const struct packet *packet, const Avvik__V1__Reply *reply)
{
	struct world *w = order->world;
	bool first = order->state != ORDER_DONE;
	SIM_EXPECT(w, order->state != ORDER_REFUSED, "order %u was refused (%s), and then done", order->id,
		av_enum_name(&avvik__v1__reply_status__descriptor, (int)order->answer));
	if (order->kind == ORDER_REPORT || order->kind == ORDER_SUPPLEMENT)
		take_report(order, reply, first);
	if (first && order->kind == ORDER_GRANT && reply->body_case == AVVIK__V1__REPLY__BODY_GRANT_ISSUED)
		people_open_grants(w, order, reply->grant_issued);
	if (first) {
		order->done_turn = packet->turn;
		w->count.reports += order->kind == ORDER_REPORT;
		w->count.acts += order->kind == ORDER_ACT;
		w->count.erasures += order->kind == ORDER_OPEN && order->erasing;
	}
	order->state = ORDER_DONE;
}

static void take_refusal(struct order *order, const struct packet *packet, const Avvik__V1__Reply *reply)
{
	struct world *w = order->world;
	int status = (int)reply->status;
	if (order->state != ORDER_DONE && order->out > 0)
		return; /* another copy is under way: only the last answer says that nothing was done */
	if (!definite(status)) {
		if (w->verbose && order->sent % 64 == 1)
			sim_say(w, "order %u (%u) is put off: %s: %s", order->id, order->number,
				av_enum_name(&avvik__v1__reply_status__descriptor, status), reply->text);
		w->count.full += status == STATUS(FULL);
		/* Who is told so tells the administrator: a daemon that has little room left does its turns well. */
		if (status == STATUS(FULL))
			w->nodes[order->node].full = w->nodes[order->node].up;
		if (order->state == ORDER_SENT)
			order->state = order->once ? ORDER_REFUSED : ORDER_WAITING;
		order->not_before_ms = w->now_ms + 1000;
		return;
	}
	if (status == STATUS(FORBIDDEN) && packet->revoked) { /* it tries again when it has its rights back */
		if (order->state == ORDER_SENT)
			order->state = order->once ? ORDER_UNKNOWN : ORDER_WAITING;
		order->not_before_ms = w->now_ms + 1000;
		return;
	}
	if (status == STATUS(FAILED)) { /* an item that ended the process twice: an administrator must know */
		SIM_EXPECT(w, order->state != ORDER_DONE, "order %u was done, and then set aside", order->id);
	}
	SIM_EXPECT(w, order->state != ORDER_DONE || order->once,
		"order %u was done, and then refused: %s: %s", order->id,
		av_enum_name(&avvik__v1__reply_status__descriptor, status), reply->text);
	if (order->state == ORDER_DONE)
		return;
	if (w->verbose && order->state != ORDER_REFUSED)
		sim_say(w, "order %u (%u, %s) refused: %s: %s", order->id, order->number,
			order->person ? order->person : "-",
			av_enum_name(&avvik__v1__reply_status__descriptor, status),
			reply->n_faults ? reply->faults[0]->text : reply->text);
	w->count.refusals += order->state != ORDER_REFUSED;
	order->state = ORDER_REFUSED;
	order->answer = (Avvik__V1__ReplyStatus)status;
}

static void check_reply(struct order *order, const struct packet *packet)
{
	if (order->kind == ORDER_OPEN)
		return;
	SIM_EXPECT(order->world,
		!memmem(packet->data, packet->size, SIM_SECRET, sizeof SIM_SECRET - 1) &&
			!memmem(packet->data, packet->size, SIM_SECRET_LOW, sizeof SIM_SECRET_LOW - 1),
		"order %u: content stands in the reply", order->id);
}

void order_reply(struct order *order, const struct packet *packet)
{
	struct world *w = order->world;
	ProtobufCMessage *message;
	SIM_EXPECT(w,
		av_message_load(&avvik__v1__reply__descriptor, av_bytes(packet->data, packet->size),
			w->scratch, &message) == AV_OK,
		"order %u: the reply cannot be read", order->id);
	const Avvik__V1__Reply *reply = (const Avvik__V1__Reply *)message;
	SIM_EXPECT(w, strcmp(reply->reference, order->reference) == 0 || reply->status == STATUS(FAILED),
		"order %u: a reply with another reference, %s", order->id, reply->reference);
	check_reply(order, packet);
	order->out -= order->out > 0;
	if (reply->status == STATUS(DONE))
		take_done(order, packet, reply);
	else
		take_refusal(order, packet, reply);
}

bool orders_quiet(struct world *w)
{
	for (size_t i = 0; i < w->order_count; i++)
		if (w->orders[i]->state == ORDER_WAITING || w->orders[i]->state == ORDER_SENT)
			return false;
	return true;
}

void orders_forget(struct node *n)
{
	struct world *w = n->world;
	for (size_t i = 0; i < w->order_count; i++) {
		struct order *order = w->orders[i];
		if (order->node != n->number || order->state != ORDER_DONE ||
			order->done_turn <= n->backup_turn)
			continue;
		order->state = order->once ? ORDER_UNKNOWN : ORDER_WAITING;
		order->receipt = NULL;
	}
}
