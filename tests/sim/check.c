/* check.c - at rest: each store against its own journal, seals, secrets, and what was promised to senders
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

/* --- what was promised --- */

struct tally {
	unsigned int reports, acts;
};

static const char *const act_events[] = {"CasePlaced", "ReporterNamed", "CaseRemedied", "AffectedInformed",
	"CaseAssessedInitially", "SeriousFound", "EntryRecorded", "InvestigationCompleted", "CaseDecided",
	"IvoNotified", "InvestigationHandedIn", "MeasureDecided", "NoMeasuresDecided", "MeasureExecuted",
	"MeasureEvaluated", "CaseClosed", "DeviationAssessed", "CaseTurnedLexSarah"};

static bool is_act(const Avvik__V1__Event *event)
{
	const ProtobufCFieldDescriptor *field = av_body_field(&event->base);
	if (!field || !event->actor || !*event->actor->person)
		return false;
	const char *name = ((const ProtobufCMessageDescriptor *)field->descriptor)->short_name;
	for (size_t i = 0; i < AV_COUNT(act_events); i++)
		if (strcmp(name, act_events[i]) == 0)
			return true;
	return false;
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

static void tally_acts(struct world *w, const struct events *workflow, struct tally *tallies)
{
	for (size_t i = 0; i < workflow->count; i++) {
		const Avvik__V1__Event *event = workflow->at[i];
		struct order *found = is_act(event) ? act_of(w, event, tallies) : NULL;
		if (!is_act(event))
			continue;
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
