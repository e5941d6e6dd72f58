/* directory_handlers.c - PublishDirectory and GetDirectory.
 *
 * The event carries the directory without names and addresses. Each person's contact is sealed as a content
 * of its own: one that has not changed keeps the content it has, and those that nobody needs any more are
 * erased in the same turn.
 */
#include <stdlib.h>
#include <string.h>

#include "directory_rules.h"
#include "handlers.h"
#include "intake_store.h"
#include "intake_view.h"
#include "seal/crypto.h"
#include "store/content.h"

#define CODE(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define CONTACT AVVIK__V1__CONTENT_PART__CONTENT_PART_CONTACT

/* The contacts of a directory: one for each person who has any. */
struct contacts {
	Avvik__V1__PersonContact **list;
	struct av_bytes *packed; /* of each, the Contact */
	size_t count;
	size_t fresh; /* how many have no content yet */
};

static Avvik__V1__Directory *without_contacts(const Avvik__V1__Directory *directory, struct av_arena *arena)
{
	Avvik__V1__Directory *public = av_arena_copy(arena, directory, sizeof(*directory));
	Avvik__V1__Person *people = av_arena_alloc(arena, (directory->n_people + 1) * sizeof(*people));
	Avvik__V1__Person **list = av_arena_alloc(arena, (directory->n_people + 1) * sizeof(*list));
	if (!public || !people || !list)
		return NULL;
	for (size_t i = 0; i < directory->n_people; i++) {
		people[i] = *directory->people[i];
		people[i].name = text_of(protobuf_c_empty_string);
		people[i].mail = text_of(protobuf_c_empty_string);
		people[i].phone = text_of(protobuf_c_empty_string);
		list[i] = &people[i];
	}
	public->people = list;
	return public;
}

static int compare_contacts(const void *a, const void *b)
{
	return strcmp((*(Avvik__V1__PersonContact *const *)a)->person,
		(*(Avvik__V1__PersonContact *const *)b)->person);
}

/* Of the directory in force, sorted by person. NULL when out of memory. */
static Avvik__V1__PersonContact **contacts_before(
	const struct view *view, struct av_arena *arena, size_t *ret_count)
{
	size_t count = view->directory ? view->directory->n_contacts : 0;
	Avvik__V1__PersonContact **sorted = av_arena_alloc(arena, (count + 1) * sizeof(*sorted));
	if (!sorted)
		return NULL;
	for (size_t i = 0; i < count; i++)
		sorted[i] = view->directory->contacts[i];
	qsort(sorted, count, sizeof(*sorted), compare_contacts);
	*ret_count = count;
	return sorted;
}

/* The content that holds exactly this contact already; NULL: there is none. */
static const Avvik__V1__ContentRef *same_contact(struct av_ctx *ctx, Avvik__V1__PersonContact **before,
	size_t count, const char *person, struct av_bytes packed)
{
	Avvik__V1__PersonContact wanted = AVVIK__V1__PERSON_CONTACT__INIT, *key = &wanted, **found;
	struct av_bytes held;
	struct av_id id;
	wanted.person = text_of(person);
	found = bsearch(&key, before, count, sizeof(*before), compare_contacts);
	if (!found || !(*found)->content || !id_of((*found)->content->content_id, &id) ||
		av_content_get(ctx->txn, ctx->keys, &id, CONTACT, ctx->arena, &held) < 0 ||
		!av_bytes_equal(held, packed))
		return NULL;
	return (*found)->content;
}

/* A reference of the cached directory, in the turn's own memory. */
static Avvik__V1__ContentRef *ref_copy(const Avvik__V1__ContentRef *ref, struct av_arena *arena)
{
	return (Avvik__V1__ContentRef *)av_message_copy(&ref->base, arena);
}

static int contacts_make(struct av_ctx *ctx, const Avvik__V1__Directory *directory,
	Avvik__V1__PersonContact **before, size_t before_count, struct contacts *ret_contacts)
{
	struct contacts made = {
		.list = av_arena_alloc(ctx->arena, (directory->n_people + 1) * sizeof(*made.list)),
		.packed = av_arena_alloc(ctx->arena, (directory->n_people + 1) * sizeof(*made.packed)),
	};
	if (!made.list || !made.packed)
		return AV_MEMORY;
	for (size_t i = 0; i < directory->n_people; i++) {
		const Avvik__V1__Person *person = directory->people[i];
		Avvik__V1__Contact contact = AVVIK__V1__CONTACT__INIT;
		if (!*person->name && !*person->mail && !*person->phone)
			continue;
		contact.name = person->name;
		contact.mail = person->mail;
		contact.phone = person->phone;
		Avvik__V1__PersonContact *each =
			AV_NEW(ctx->arena, Avvik__V1__PersonContact, avvik__v1__person_contact);
		struct av_bytes packed = av_message_pack(&contact.base, ctx->arena);
		if (!each || !packed.data)
			return AV_MEMORY;
		const Avvik__V1__ContentRef *held =
			same_contact(ctx, before, before_count, person->id, packed);
		each->person = person->id;
		each->has_mail = *person->mail != '\0';
		each->content = held ? ref_copy(held, ctx->arena) : NULL;
		made.fresh += !each->content;
		made.packed[made.count] = packed;
		made.list[made.count++] = each;
	}
	*ret_contacts = made;
	return AV_OK;
}

static int contacts_seal(struct av_ctx *ctx, struct contacts *contacts)
{
	for (size_t i = 0; i < contacts->count; i++) {
		if (contacts->list[i]->content)
			continue;
		struct av_content_part part = {CONTACT, contacts->packed[i]};
		int status = av_seal_parts(ctx, &part, 1, contacts->packed[i], &contacts->list[i]->content);
		if (status < 0)
			return status;
	}
	return AV_OK;
}

static bool still_used(const struct contacts *contacts, Avvik__V1__PersonContact **sorted, const char *person,
	const struct av_id *content_id)
{
	Avvik__V1__PersonContact wanted = AVVIK__V1__PERSON_CONTACT__INIT, *key = &wanted, **found;
	struct av_id id;
	wanted.person = text_of(person);
	found = bsearch(&key, sorted, contacts->count, sizeof(*sorted), compare_contacts);
	return found && id_of((*found)->content->content_id, &id) && memcmp(&id, content_id, sizeof(id)) == 0;
}

/* Addresses that no directory needs any more do not stay. */
static int contacts_erase(struct av_ctx *ctx, const struct contacts *contacts,
	Avvik__V1__PersonContact **before, size_t before_count)
{
	Avvik__V1__PersonContact **sorted =
		av_arena_alloc(ctx->arena, (contacts->count + 1) * sizeof(*sorted));
	if (!sorted)
		return AV_MEMORY;
	if (contacts->count)
		memcpy(sorted, contacts->list, contacts->count * sizeof(*sorted));
	qsort(sorted, contacts->count, sizeof(*sorted), compare_contacts);
	for (size_t i = 0; i < before_count; i++) {
		const Avvik__V1__ContentRef *old = before[i]->content;
		unsigned int parts;
		struct av_id made;
		if (!old || !id_of(old->content_id, &made) ||
			still_used(contacts, sorted, before[i]->person, &made) ||
			av_content_parts(ctx->txn, &made, &parts) < 0)
			continue;
		struct av_id *id = av_arena_copy(ctx->arena, &made, sizeof(made));
		Avvik__V1__ContentErased *erased =
			AV_NEW(ctx->arena, Avvik__V1__ContentErased, avvik__v1__content_erased);
		if (!id || !erased)
			return AV_MEMORY;
		erased->content_id = binary_of(id);
		erased->key_number = old->key_number;
		erased->reason = text_of("superseded");
		av_erase_content(ctx, id);
		av_emit(ctx, AVVIK__V1__EVENT__BODY_CONTENT_ERASED, erased, NULL);
	}
	return AV_OK;
}

static int accept(struct av_ctx *ctx, const char *version)
{
	Avvik__V1__DirectoryAccepted *reply = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_DIRECTORY_ACCEPTED);
	if (!reply)
		return AV_MEMORY;
	reply->version = text_of(version);
	return AV_OK;
}

static Avvik__V1__DirectoryPublished *published_event(struct av_ctx *ctx, Avvik__V1__Directory *public,
	const struct contacts *contacts, const unsigned char *hash, const char *reason)
{
	Avvik__V1__DirectoryPublished *event =
		AV_NEW(ctx->arena, Avvik__V1__DirectoryPublished, avvik__v1__directory_published);
	if (!event)
		return NULL;
	event->directory = public;
	event->contacts = contacts->list;
	event->n_contacts = contacts->count;
	event->hash = (ProtobufCBinaryData){AV_HASH_SIZE, (uint8_t *)(uintptr_t)hash};
	if (*reason) {
		event->reason = AV_NEW(ctx->arena, Avvik__V1__ReasonGiven, avvik__v1__reason_given);
		if (!event->reason)
			return NULL;
		event->reason->text = text_of(reason);
	}
	return event;
}

int on_publish_directory(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__PublishDirectory *order = (const Avvik__V1__PublishDirectory *)body;
	const Avvik__V1__Directory *directory = order->directory;
	av_day today = av_local_day(ctx->now_ms);
	const struct view *view;
	struct contacts contacts;
	struct published known;
	size_t before_count;
	int status = view_open(ctx, &view);
	if (status < 0)
		return status;
	ctx->faults.prefix = "directory.";
	status = directory_check(directory, view_rules_or_last(view, today), today, ctx->arena, &ctx->faults);
	if (status < 0)
		return status;

	Avvik__V1__Directory *public = without_contacts(directory, ctx->arena);
	struct av_bytes packed = public ? av_message_pack(&public->base, ctx->arena) : av_bytes(NULL, 0);
	unsigned char *hash = av_arena_alloc(ctx->arena, AV_HASH_SIZE);
	Avvik__V1__PersonContact **before = contacts_before(view, ctx->arena, &before_count);
	if (!packed.data || !hash || !before)
		return AV_MEMORY;
	av_hash(packed, hash);
	status = contacts_make(ctx, directory, before, before_count, &contacts);
	if (status < 0)
		return status;

	status = directory_find(ctx->txn, directory->version, &known);
	if (status == AV_OK) {
		bool in_force = view->directory &&
				strcmp(view->directory->directory->version, directory->version) == 0;
		if (in_force && memcmp(known.hash, hash, AV_HASH_SIZE) == 0 && contacts.fresh == 0 &&
			contacts.count == before_count) {
			ctx->reply->text = text_of("this directory is in force already: nothing was changed");
			return accept(ctx, directory->version);
		}
		av_fault(&ctx->faults, CODE(DUPLICATE), "version",
			"has been published with another content: give the new directory a version of its "
			"own");
		return AV_CONFLICT;
	}
	if (status != AV_NOT_FOUND)
		return status;

	status = contacts_seal(ctx, &contacts);
	Avvik__V1__DirectoryPublished *event =
		status < 0 ? NULL : published_event(ctx, public, &contacts, hash, order->reason);
	if (!event)
		return status < 0 ? status : AV_MEMORY;
	av_emit(ctx, AVVIK__V1__EVENT__BODY_DIRECTORY_PUBLISHED, event, NULL);
	status = contacts_erase(ctx, &contacts, before, before_count);
	return status < 0 ? status : accept(ctx, directory->version);
}

/* --- what is in force --- */

/* A person's id and name. The directory's text alone when the name was not given, or is erased. */
static int name_open(struct av_ctx *ctx, const Avvik__V1__PersonContact *held, Avvik__V1__Person *person)
{
	ProtobufCMessage *contact;
	struct av_bytes packed;
	struct av_id id;
	if (!held->content || !id_of(held->content->content_id, &id))
		return AV_OK;
	int status = av_content_get(ctx->txn, ctx->keys, &id, CONTACT, ctx->arena, &packed);
	if (status == AV_ERASED)
		return AV_OK;
	if (status == AV_OK)
		status = av_message_load(&avvik__v1__contact__descriptor, packed, ctx->arena, &contact);
	if (status == AV_OK)
		person->name = ((const Avvik__V1__Contact *)contact)->name;
	return status;
}

/* Those asked for who are in the directory in force, with their names. */
static int names_of(struct av_ctx *ctx, const struct view *view, const Avvik__V1__GetDirectory *query,
	Avvik__V1__DirectoryFound *found)
{
	const char *reader = ctx->command->on_behalf_of;
	size_t contact_count;
	if (!(ctx->principal->rights & AV_MAY_CONTENT)) {
		av_fault(&ctx->faults, CODE(NOT_ALLOWED), "names_of",
			"names are content, which this principal may not ask for: give it the right content, "
			"or leave names_of out");
		return AV_FORBIDDEN;
	}
	if (!*reader || !av_org_person(view->org, reader)) {
		av_fault(&ctx->faults, CODE(NOT_ALLOWED), "on_behalf_of",
			"names are given to a person of the directory: give the id of who reads, or leave "
			"names_of out");
		return AV_FORBIDDEN;
	}
	Avvik__V1__PersonContact **contacts = contacts_before(view, ctx->arena, &contact_count);
	Avvik__V1__Directory *some = AV_NEW(ctx->arena, Avvik__V1__Directory, avvik__v1__directory);
	if (!contacts || !some)
		return AV_MEMORY;
	some->version = view->directory->directory->version;
	some->people = av_arena_alloc(ctx->arena, query->n_names_of * sizeof(*some->people));
	if (!some->people)
		return AV_MEMORY;
	for (size_t i = 0; i < query->n_names_of; i++) {
		const Avvik__V1__Person *known = av_org_person(view->org, query->names_of[i]);
		Avvik__V1__PersonContact wanted = AVVIK__V1__PERSON_CONTACT__INIT, *key = &wanted, **held;
		if (!known)
			continue;
		Avvik__V1__Person *person = AV_NEW(ctx->arena, Avvik__V1__Person, avvik__v1__person);
		if (!person)
			return AV_MEMORY;
		person->id = known->id;
		wanted.person = known->id;
		held = bsearch(&key, contacts, contact_count, sizeof(*contacts), compare_contacts);
		int status = held ? name_open(ctx, *held, person) : AV_OK;
		if (status < 0)
			return status;
		some->people[some->n_people++] = person;
	}
	found->directory = some;
	return AV_OK;
}

int on_get_directory(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__GetDirectory *query = (const Avvik__V1__GetDirectory *)body;
	const struct view *view;
	int status = view_open(ctx, &view);
	if (status < 0)
		return status;
	if (!view->directory) {
		ctx->reply->text = text_of("no directory has been published: `avvik directory publish FILE`");
		return AV_NOT_FOUND;
	}
	Avvik__V1__DirectoryFound *found = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_DIRECTORY_FOUND);
	Avvik__V1__Directory *directory =
		av_arena_copy(ctx->arena, view->directory->directory, sizeof(*view->directory->directory));
	if (!found || !directory)
		return AV_MEMORY;
	if (query->n_names_of)
		return names_of(ctx, view, query, found);
	/* Who only files reports needs the units, not who works there. */
	if (!(ctx->principal->rights & (AV_MAY_ADMINISTER | AV_MAY_QUERY | AV_MAY_ACT)))
		directory->n_people = 0;
	found->directory = directory;
	return AV_OK;
}
