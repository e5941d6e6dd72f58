/* check.c - at rest: each store against its own journal, seals, secrets
 */
#include "sim.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/folder.h"
#include "store/content.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name

static struct world *searched;

struct av_id sim_id(ProtobufCBinaryData data)
{
	struct av_id id = {{0}};
	if (data.len == AV_ID_SIZE)
		memcpy(id.bytes, data.data, AV_ID_SIZE);
	return id;
}

const char *sim_hex(ProtobufCBinaryData data)
{
	static char texts[4][AV_ID_TEXT];
	static unsigned int next;
	struct av_id id = sim_id(data);
	char *text = texts[next++ % AV_COUNT(texts)];
	av_id_text(&id, text);
	return text;
}

struct events events_of(struct node *n, struct av_arena *arena)
{
	struct world *w = n->world;
	struct events events = {.at = NULL};
	struct av_position head;
	struct av_txn *txn;
	SIM_EXPECT(w, av_txn_begin_read(n->store, &txn) == AV_OK && av_journal_head(txn, &head) == AV_OK,
		"%s: no journal", n->service.name);
	events.at = av_arena_alloc(arena, (head.sequence + 1) * sizeof *events.at);
	for (uint64_t sequence = 1; sequence <= head.sequence; sequence++) {
		struct av_bytes packed;
		ProtobufCMessage *event;
		SIM_EXPECT(w,
			av_journal_read(txn, sequence, &packed, NULL) == AV_OK &&
				av_message_load(&avvik__v1__event__descriptor, packed, arena, &event) ==
					AV_OK,
			"%s: event %llu cannot be read", n->service.name, (unsigned long long)sequence);
		events.at[events.count++] = (Avvik__V1__Event *)event;
	}
	av_txn_abort(&txn);
	return events;
}

/* --verbose, at the end: what each journal holds. */
static void tell_events(struct world *w, const struct events *events)
{
	for (int node = 0; node < NODES; node++)
		for (size_t i = 0; i < events[node].count; i++) {
			const Avvik__V1__Event *event = events[node].at[i];
			fprintf(stderr, "  %s %llu %s case %s cause %s at %lld by %s\n", node_names[node],
				(unsigned long long)event->sequence,
				((const ProtobufCMessageDescriptor *)av_body_field(&event->base)->descriptor)
					->short_name,
				sim_hex(event->case_id), sim_hex(event->cause_id),
				(long long)event->recorded_at_ms, event->actor ? event->actor->person : "");
		}
	AV_UNUSED(w);
}

/* --- a store and its journal --- */

static void told(void *context, bool good, const char *line)
{
	struct node *n = context;
	if (!good)
		sim_fail(n->world, "%s: %s", n->service.name, line);
}

static void check_store(struct node *n)
{
	const char *scratch = av_arena_printf(n->world->scratch, "%s/replay", n->path);
	int status = av_verify(&n->service, n->store, scratch, n->sign_public, told, n);
	folder_remove(scratch);
	SIM_EXPECT(
		n->world, status == AV_OK, "%s does not verify: %s", n->service.name, av_status_name(status));
}

/* Every byte that lies on disk, freed pages too. */
static int search(const char *path, const struct stat *info, int type, struct FTW *where)
{
	static const char *const secrets[] = {SIM_SECRET, SIM_SECRET_LOW, "@lindaker.example"};
	AV_UNUSED(where);
	if (type != FTW_F || info->st_size == 0)
		return 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *bytes = fd < 0 ? MAP_FAILED : mmap(NULL, (size_t)info->st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (fd >= 0)
		close(fd);
	SIM_EXPECT(searched, bytes != MAP_FAILED, "%s cannot be read", path);
	for (size_t i = 0; i < AV_COUNT(secrets); i++) {
		const char *at = memmem(bytes, (size_t)info->st_size, secrets[i], strlen(secrets[i]));
		SIM_EXPECT(searched, !at, "content lies open in %s, at %zu: %.40s", path,
			(size_t)(at - (const char *)bytes), at);
	}
	munmap(bytes, (size_t)info->st_size);
	return 0;
}

/* All its files: the store, the keys, the marks, backups. */
void check_secrets(struct node *n)
{
	searched = n->world;
	(void)nftw(n->path, search, 16, FTW_PHYS); /* a file may go meanwhile, ignoring */
}

/* --- content --- */

static bool erased_in(const struct events *events, ProtobufCBinaryData id)
{
	for (size_t i = 0; i < events->count; i++) {
		const Avvik__V1__Event *event = events->at[i];
		if (event->body_case == EVENT(CONTENT_ERASED) &&
			event->content_erased->content_id.len == id.len &&
			memcmp(event->content_erased->content_id.data, id.data, id.len) == 0)
			return true;
	}
	return false;
}

static void check_content(struct node *n, struct av_txn *txn, const struct events *events,
	const Avvik__V1__ContentRef *ref, bool restored)
{
	struct av_id id = sim_id(ref->content_id);
	struct av_bytes body;
	bool erased = erased_in(events, ref->content_id);
	int status = av_content_get(txn, n->keys, &id, 0, n->world->scratch, &body);
	SIM_EXPECT(n->world,
		erased ? status == AV_ERASED : status == AV_OK || (restored && status == AV_ERASED),
		"%s: content %s is %s by the journal, and %s to who opens it", n->service.name,
		sim_hex(ref->content_id), erased ? "erased" : "there", av_status_name(status));
}

static const Avvik__V1__ContentRef *ref_of(const Avvik__V1__Event *event, int node)
{
	switch (event->body_case) {
	case EVENT(REPORT_FILED):
		return event->report_filed->content;
	case EVENT(REPORT_SUPPLEMENTED):
		return event->report_supplemented->content;
	case EVENT(ENTRY_RECORDED):
		return event->entry_recorded->content;
	case EVENT(CASE_ASSESSED_INITIALLY):
		return event->case_assessed_initially->content;
	case EVENT(CASE_DECIDED):
		return event->case_decided->content;
	case EVENT(CASE_CLOSED):
		return node == WORKFLOW ? event->case_closed->content : NULL;
	default:
		return NULL;
	}
}

static void check_contents(struct node *n, const struct events *events)
{
	struct av_txn *txn;
	bool restored = n->world->count.restores > 0;
	SIM_EXPECT(n->world, av_txn_begin_read(n->store, &txn) == AV_OK, "no read transaction");
	for (size_t i = 0; i < events->count; i++) {
		const Avvik__V1__ContentRef *ref = ref_of(events->at[i], n->number);
		if (ref && ref->content_id.len)
			check_content(n, txn, events, ref, restored);
	}
	av_txn_abort(&txn);
}

/* --- all --- */

void check_rest(struct world *w, bool end)
{
	struct av_arena *arena = av_arena_create(0);
	struct events events[NODES];
	for (int node = 0; node < NODES; node++) {
		check_secrets(&w->nodes[node]);
		check_store(&w->nodes[node]);
		events[node] = events_of(&w->nodes[node], arena);
	}
	if (w->verbose && end)
		tell_events(w, events);
	check_orders(w, &events[INTAKE], &events[WORKFLOW]);
	check_contents(&w->nodes[INTAKE], &events[INTAKE]);
	check_contents(&w->nodes[WORKFLOW], &events[WORKFLOW]);
	check_cases(w, events, end);
	check_figures(w, &events[INTAKE], &events[WORKFLOW]);
	check_notices(w, &events[WORKFLOW], &events[NOTIFICATION], end);
	av_arena_destroy(&arena);
	av_arena_reset(w->scratch);
}
