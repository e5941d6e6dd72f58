/* feed_handlers.c - what is told by intake and workflow.
 *
 * Every event may be told again (after a restore, or when an administrator reads a feed from the start): what
 * has had its effect stands in `seen` and is passed over.
 */
#include "handlers.h"

#include <stdlib.h>
#include <string.h>
#include "attempts_store.h"
#include "deciding.h"
#include "wire/rules.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define PART(name) AVVIK__V1__CONTENT_PART__CONTENT_PART_##name
#define CONTACT PART(CONTACT)

static bool seen(const struct av_ctx *ctx)
{
	return event_seen(ctx->txn, data_bytes(ctx->event->event_id));
}

static bool has_part(const Avvik__V1__ContentPart *parts, size_t count, Avvik__V1__ContentPart part)
{
	for (size_t i = 0; i < count; i++)
		if (parts[i] == part)
			return true;
	return false;
}

static bool has_contact(const Avvik__V1__ContentRef *ref)
{
	return ref && has_part(ref->parts, ref->n_parts, CONTACT);
}

/* The opened part that stands for a reference, counted among those that have a contact. Empty: erased, or not
 * shown. */
static struct av_bytes opened(const struct av_ctx *ctx, size_t place)
{
	if (!ctx->feed_item || place >= ctx->feed_item->n_parts ||
		ctx->feed_item->parts[place]->part != CONTACT)
		return av_bytes(NULL, 0);
	return data_bytes(ctx->feed_item->parts[place]->body);
}

static bool mail_in(struct av_bytes packed, struct av_arena *arena)
{
	ProtobufCMessage *contact;
	return packed.size &&
	       av_message_load(&avvik__v1__contact__descriptor, packed, arena, &contact) == AV_OK &&
	       av_is_mail(((Avvik__V1__Contact *)contact)->mail);
}

/* Seals an address and tells that it is here. An empty one is told too: its owner cannot be reached by mail.
 */
static int store_contact(struct av_ctx *ctx, const char *person, ProtobufCBinaryData case_id,
	struct av_bytes packed, ProtobufCBinaryData origin, bool *ret_has_mail)
{
	Avvik__V1__ContactStored *stored =
		AV_NEW(ctx->arena, Avvik__V1__ContactStored, avvik__v1__contact_stored);
	if (!stored)
		return AV_MEMORY;
	stored->person = (char *)person;
	stored->case_id = case_id;
	stored->has_mail = mail_in(packed, ctx->arena);
	stored->origin_content_id = origin;
	if (packed.size) {
		struct av_content_part part = {CONTACT, packed};
		int status = av_seal_parts(ctx, &part, 1, packed, &stored->content);
		if (status < 0)
			return status;
	}
	av_emit(ctx, EVENT(CONTACT_STORED), stored, NULL);
	if (ret_has_mail)
		*ret_has_mail = stored->has_mail;
	return AV_OK;
}

static int erase_contact(struct av_ctx *ctx, const struct contact *contact,
	const Avvik__V1__ContentErased *because, const char *reason)
{
	Avvik__V1__ContentErased *erased =
		AV_NEW(ctx->arena, Avvik__V1__ContentErased, avvik__v1__content_erased);
	if (!erased)
		return AV_MEMORY;
	erased->content_id = id_data(&contact->content_id, ctx->arena);
	erased->key_number = contact->key_number;
	erased->reason = (char *)reason;
	if (because) {
		erased->grant_id = because->grant_id;
		erased->person = because->person;
		erased->reason = because->reason;
	}
	av_emit(ctx, EVENT(CONTENT_ERASED), erased, NULL);
	av_erase_content(ctx, &contact->content_id);
	return AV_OK;
}

/* --- workflow --- */

int on_case_event(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	static const ProtobufCBinaryData none;
	int status = AV_OK;

	AV_UNUSED(body);
	if (seen(ctx))
		return AV_NOTHING;
	/* Who reported to another system is not written to; that is known from the start. */
	if (ctx->event->body_case == EVENT(CASE_OPENED) && case_event_of_the_past(ctx->event))
		status = store_contact(ctx, "", ctx->event->case_id, av_bytes(NULL, 0), none, NULL);
	return status == AV_OK ? case_event_take(ctx, ctx->event, data_bytes(ctx->feed_item->event), NULL)
			       : status;
}

/* A case that was opened before there were rules for it: what it has told waits, and can be decided now. */
int on_case_rules_set(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	int status = on_case_event(ctx, body);
	if (status == AV_OK)
		waiting_ready(ctx->txn, data_bytes(ctx->event->case_id));
	return status;
}

/* The reporter's address comes anew, in a content of the workflow, or is no more; the one that was known goes. */
static int take_contact(struct av_ctx *ctx, const Avvik__V1__ContentRef *content)
{
	struct contact before;
	bool has_mail = false;

	if (seen(ctx))
		return AV_NOTHING;
	bool had = contact_load(ctx->txn, NULL, data_bytes(ctx->event->case_id), &before) == AV_OK;
	int status =
		store_contact(ctx, "", ctx->event->case_id, opened(ctx, 0), content->content_id, &has_mail);
	if (status == AV_OK && had && !id_is_zero(&before.content_id))
		status = erase_contact(ctx, &before, NULL, "superseded");
	if (status == AV_OK)
		status = case_event_take(ctx, ctx->event, data_bytes(ctx->feed_item->event), &has_mail);
	return status;
}

int on_reporter_named(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__ContentRef *content = ((const Avvik__V1__ReporterNamed *)body)->content;

	return has_contact(content) ? take_contact(ctx, content) : on_case_event(ctx, body);
}

/* A reporter without an address, where there was one, cannot be written to: not at the wrong one either, however
 * long its holder takes to erase it. */
int on_content_corrected(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__ContentCorrected *corrected = (const Avvik__V1__ContentCorrected *)body;
	bool of_reporter = has_contact(corrected->content) ||
			   has_part(corrected->parts, corrected->n_parts, CONTACT) ||
			   has_part(corrected->parts, corrected->n_parts, PART(REPORTER));

	return corrected->content && of_reporter ? take_contact(ctx, corrected->content)
						 : on_case_event(ctx, body);
}

/* --- intake --- */

int on_report_filed(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__ReportFiled *filed = (const Avvik__V1__ReportFiled *)body;
	struct av_bytes packed = has_contact(filed->content) ? opened(ctx, 0) : av_bytes(NULL, 0);
	ProtobufCBinaryData origin =
		filed->content ? filed->content->content_id : (ProtobufCBinaryData){0, NULL};
	struct contact known;

	if (filed->report_id.len != AV_ID_SIZE)
		return AV_INVALID;
	if (seen(ctx) || contact_load(ctx->txn, NULL, data_bytes(filed->report_id), &known) == AV_OK)
		return AV_NOTHING;
	int status = store_contact(ctx, "", filed->report_id, packed, origin, NULL);
	if (status == AV_OK)
		waiting_ready(ctx->txn, data_bytes(filed->report_id));
	return status;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The people of the store who are not in the new directory, or have no address there. */
static int erase_the_gone(struct av_ctx *ctx, const Avvik__V1__DirectoryPublished *published)
{
	const char **people = av_arena_alloc(ctx->arena, (published->n_contacts + 1) * sizeof *people);
	if (!people)
		return AV_MEMORY;
	for (size_t i = 0; i < published->n_contacts; i++)
		people[i] = published->contacts[i]->person;
	qsort(people, published->n_contacts, sizeof *people, compare_texts);

	int status = AV_OK;
	struct av_iter it = av_iter(ctx->txn, TABLE_CONTACTS, av_bytes("p", 1), av_bytes(NULL, 0));
	while (status == AV_OK && av_iter_next(&it)) {
		char *person = av_arena_zalloc(ctx->arena, it.key.size);
		struct contact contact;
		if (!person) {
			status = AV_MEMORY;
			break;
		}
		memcpy(person, (const char *)it.key.data + 1, it.key.size - 1);
		if (bsearch(&person, people, published->n_contacts, sizeof *people, compare_texts))
			continue;
		if (contact_load(ctx->txn, person, av_bytes(NULL, 0), &contact) == AV_OK &&
			!id_is_zero(&contact.content_id))
			status = erase_contact(ctx, &contact, NULL, "left_directory");
	}
	av_iter_end(&it);
	return status;
}

/* An address that is as before is kept as it is: most of a directory does not change. One that comes empty
 * was erased at intake after a later publication took its place; what is here stays until that one is read.
 */
static int renew_contact(struct av_ctx *ctx, const Avvik__V1__PersonContact *contact, struct av_bytes packed)
{
	static const ProtobufCBinaryData none;
	struct av_bytes kept;
	struct contact before;
	bool had = contact_load(ctx->txn, contact->person, av_bytes(NULL, 0), &before) == AV_OK &&
		   !id_is_zero(&before.content_id);

	if (packed.size == 0)
		return AV_OK;
	if (had &&
		av_content_get(ctx->txn, ctx->keys, &before.content_id, CONTACT, ctx->arena, &kept) ==
			AV_OK &&
		av_bytes_equal(kept, packed))
		return AV_OK;
	int status = store_contact(ctx, contact->person, none, packed, none, NULL);
	if (status == AV_OK && had)
		status = erase_contact(ctx, &before, NULL, "superseded");
	return status;
}

int on_directory_published(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__DirectoryPublished *published = (const Avvik__V1__DirectoryPublished *)body;
	Avvik__V1__DirectoryPublished *taken =
		AV_NEW(ctx->arena, Avvik__V1__DirectoryPublished, avvik__v1__directory_published);
	int status = AV_OK;
	size_t place = 0;

	if (seen(ctx))
		return AV_NOTHING;
	if (!taken)
		return AV_MEMORY;
	if (!published->directory)
		return AV_INVALID;
	taken->directory = published->directory;
	taken->hash = published->hash;
	av_emit(ctx, EVENT(DIRECTORY_PUBLISHED), taken, NULL);
	for (size_t i = 0; status == AV_OK && i < published->n_contacts; i++) {
		const Avvik__V1__PersonContact *contact = published->contacts[i];
		if (has_contact(contact->content))
			status = renew_contact(ctx, contact, opened(ctx, place++));
	}
	if (status == AV_OK)
		status = erase_the_gone(ctx, published);
	if (status == AV_OK)
		waiting_ready_all(ctx->txn, ctx->arena);
	return status;
}

int on_rules_published(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__RulesPublished *published = (const Avvik__V1__RulesPublished *)body;
	Avvik__V1__RulesPublished *taken =
		AV_NEW(ctx->arena, Avvik__V1__RulesPublished, avvik__v1__rules_published);

	if (seen(ctx))
		return AV_NOTHING;
	if (!taken)
		return AV_MEMORY;
	if (!published->rules)
		return AV_INVALID;
	taken->rules = published->rules;
	taken->hash = published->hash;
	av_emit(ctx, EVENT(RULES_PUBLISHED), taken, NULL);
	waiting_ready_all(ctx->txn, ctx->arena);
	return AV_OK;
}

/* --- both --- */

int on_content_erased(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__ContentErased *erased = (const Avvik__V1__ContentErased *)body;
	struct contact contact;

	if (contact_of_origin(ctx->txn, data_bytes(erased->content_id), &contact) < 0 ||
		id_is_zero(&contact.content_id))
		return AV_NOTHING;
	return erase_contact(ctx, &contact, erased, NULL);
}
