/* daemon_commands.c - commands in turns, and queries; what must hold of every answer. */
#include "daemon_inner.h"

#include <stdio.h>
#include <string.h>

#define TURN_MAX 16

/* What each command was answered, when AVVIK_FUZZ_TELL is set: to see what a row of steps does. */
static void tell(const Avvik__V1__Reply *reply)
{
	if (!fuzz.telling)
		return;
	fprintf(stderr, "  %s%s: %s\n", av_enum_name(&avvik__v1__reply_status__descriptor, reply->status),
		reply->repeated ? " (repeated)" : "", reply->text);
	for (size_t i = 0; i < reply->n_faults; i++)
		fprintf(stderr, "    %s: %s\n", reply->faults[i]->path, reply->faults[i]->text);
}

static const Avvik__V1__Reply *reply_of(const struct av_item *item)
{
	ProtobufCMessage *message;
	MUST(item->reply.data, "a command has no reply");
	struct av_bytes copy =
		av_bytes(av_arena_copy(fuzz.h->arena, item->reply.data, item->reply.size), item->reply.size);
	MUST(av_message_load(&avvik__v1__reply__descriptor, copy, fuzz.h->arena, &message) == AV_OK,
		"a reply cannot be read");
	return (const Avvik__V1__Reply *)message;
}

static const struct av_command_row *row_of(struct av_bytes wire)
{
	const struct av_command_row *row = NULL;
	return av_command_peek(fuzz.h->service, wire, &row) == AV_OK ? row : NULL;
}

static const Avvik__V1__Reply *check_reply(const struct av_item *item)
{
	const Avvik__V1__Reply *reply = reply_of(item);
	tell(reply);
	MUST(reply->status != REPLY(UNSPECIFIED), "a reply has no status");
	MUST(reply->status != REPLY(FAILED), "a command failed: %s (%s)", reply->text,
		fuzz.h->result.failed_text ? fuzz.h->result.failed_text : "");
	MUST(reply->status != REPLY(FULL), "a command found the store full: %s", reply->text);
	return reply;
}

/* Sent again it is known, and does nothing. */
static void check_again(const struct av_item *first)
{
	struct av_item again = *first;
	const struct av_command_row *row = row_of(first->wire);
	uint64_t head = harness_head(fuzz.h);
	if (!row || row->kind != AV_ORDER)
		return;
	MUST(harness_run(fuzz.h, &again, 1) == AV_OK, "a repetition fails the turn");
	const Avvik__V1__Reply *reply = check_reply(&again);
	MUST(reply->status == REPLY(DONE) && reply->repeated, "a repetition is not known as one: %d %s",
		(int)reply->status, reply->text);
	MUST(harness_head(fuzz.h) == head, "a repetition changed something");
}

static void run_turn(struct av_item *items, size_t count)
{
	struct harness *h = fuzz.h;
	uint64_t head = fuzz.damaged ? 0 : harness_head(h);
	bool done = false;
	int status = harness_run(h, items, count);
	fuzz.dirty = true;
	if (fuzz.damaged)
		return;
	MUST(status == AV_OK, "a turn of commands failed: %s", av_status_name(status));
	for (size_t i = 0; i < count; i++) {
		const Avvik__V1__Reply *reply = check_reply(&items[i]);
		done |= reply->status == REPLY(DONE) && !reply->repeated;
		note_reply(reply);
	}
	MUST(done || harness_head(h) == head, "a turn of refusals wrote to the journal");
	look_at_events();
	for (size_t i = 0; i < count; i++)
		if (reply_of(&items[i])->status == REPLY(DONE))
			check_again(&items[i]);
}

static void run_query(const struct step *step, struct av_bytes wire)
{
	struct av_item item = {0};
	const Avvik__V1__Reply *reply = harness_wire(fuzz.h, principal_of(step), wire);
	if (fuzz.damaged)
		return;
	item.reply = av_message_pack(&reply->base, fuzz.h->arena);
	note_reply(check_reply(&item));
}

/* Commands that are joined go in one turn. Answers how many steps were taken. */
size_t run_commands(const struct step *steps, size_t count)
{
	struct av_item items[TURN_MAX];
	size_t in_turn = 0, taken = 0;
	for (bool more = true;
		more && taken < count && steps[taken].kind == STEP_COMMAND && in_turn < TURN_MAX; taken++) {
		const struct step *step = &steps[taken];
		struct av_bytes wire = followed(step);
		const struct av_command_row *row = row_of(wire);
		more = step->joined;
		if (row && row->kind == AV_QUERY) {
			run_query(step, wire);
		} else {
			items[in_turn] = (struct av_item){.kind = AV_ITEM_COMMAND,
				.arrived_at_ms = fuzz.h->now_ms,
				.order = in_turn,
				.wire = wire,
				.principal = principal_of(step)};
			in_turn++;
		}
	}
	if (in_turn > 0)
		run_turn(items, in_turn);
	return taken;
}
