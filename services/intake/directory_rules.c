/* directory_rules.c - see directory_rules.h
 *
 * The units must be one tree with levels that go down, so that managers are found upwards; people and roles
 * must exist; and every act that the rule pack knows must have somebody at every leaf, so that no case can
 * come to a halt there.
 */
#include "directory_rules.h"

#include <string.h>
#include "code_text.h"

#define CODE(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define COMMITTEE AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_COMMITTEE

struct check {
	const Avvik__V1__Directory *directory;
	const Avvik__V1__RulePack *rules;
	const struct av_org *org;
	av_day today;
	struct av_faults *faults;
};

static bool is_code_of(Avvik__V1__Code *const *codes, size_t count, const char *code)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(codes[i]->code, code) == 0)
			return true;
	return false;
}

/* Does the way up come back to the unit? Also a way that ends nowhere ends. */
static bool goes_in_circle(const struct check *check, const Avvik__V1__Unit *unit)
{
	const Avvik__V1__Unit *above = av_org_parent(check->org, unit);
	for (size_t steps = 0; above && steps < check->directory->n_units; steps++) {
		if (above == unit)
			return true;
		above = av_org_parent(check->org, above);
	}
	return false;
}

static void check_place(const struct check *check, const Avvik__V1__Unit *unit, size_t i)
{
	struct av_faults *faults = check->faults;
	const Avvik__V1__Unit *parent = av_org_parent(check->org, unit);
	if (!*unit->parent) {
		if (unit->level != COMMITTEE)
			av_fault(faults, CODE(REQUIRED), path_of(faults, "units[%zu].parent", i),
				"is missing: only the committee has no unit above; give the code of the one "
				"it belongs to");
		return;
	}
	if (unit->level == COMMITTEE)
		av_fault(faults, CODE(CONTRADICTION), path_of(faults, "units[%zu].parent", i),
			"is given for a committee, which is the root: remove it, or correct the level");
	if (!parent)
		av_fault(faults, CODE(UNKNOWN_REFERENCE), path_of(faults, "units[%zu].parent", i),
			"is not a unit of this directory: add the unit, or correct the code");
	else if (goes_in_circle(check, unit))
		av_fault(faults, CODE(CONTRADICTION), path_of(faults, "units[%zu].parent", i),
			"leads back to the unit itself: give a parent on the way to the committee");
	else if (parent->level >= unit->level && unit->level != COMMITTEE)
		av_fault(faults, CODE(CONTRADICTION), path_of(faults, "units[%zu].level", i),
			"is not below the level of its parent: correct one of the two");
}

/* Of two with one code a look-up finds either; the one that stands later is named. */
static size_t later_unit(const struct check *check, size_t i)
{
	const Avvik__V1__Unit *const *units = (const Avvik__V1__Unit *const *)check->directory->units;
	const Avvik__V1__Unit *found = av_org_unit(check->org, units[i]->code);
	for (size_t before = 0; before < i; before++)
		if (strcmp(units[before]->code, units[i]->code) == 0)
			return i;
	while (units[i] != found)
		i++;
	return i;
}

static size_t later_person(const struct check *check, size_t i)
{
	const Avvik__V1__Person *const *people = (const Avvik__V1__Person *const *)check->directory->people;
	const Avvik__V1__Person *found = av_org_person(check->org, people[i]->id);
	for (size_t before = 0; before < i; before++)
		if (strcmp(people[before]->id, people[i]->id) == 0)
			return i;
	while (people[i] != found)
		i++;
	return i;
}

static void check_unit(const struct check *check, size_t i)
{
	const Avvik__V1__Unit *unit = check->directory->units[i];
	struct av_faults *faults = check->faults;
	if (!code_is_lower(unit->code))
		av_fault(faults, CODE(MALFORMED), path_of(faults, "units[%zu].code", i),
			"is not a unit's code: use only a to z, 0 to 9, point and hyphen");
	else if (av_org_unit(check->org, unit->code) != unit)
		av_fault(faults, CODE(DUPLICATE), path_of(faults, "units[%zu].code", later_unit(check, i)),
			"is the code of another unit too: give each unit a code of its own");
	check_place(check, unit, i);
	if (unit->operation == AVVIK__V1__OPERATION__OPERATION_UNSPECIFIED && av_org_leaf(check->org, unit))
		av_fault(faults, CODE(REQUIRED), path_of(faults, "units[%zu].operation", i),
			"is missing: a unit without units below is own, in_house_contract, contracted or "
			"private");
	if (!check->rules)
		return;
	if (*unit->area && !is_code_of(check->rules->areas, check->rules->n_areas, unit->area))
		av_fault(faults, CODE(UNKNOWN_VALUE), path_of(faults, "units[%zu].area", i),
			"is not among the `areas` of the rule pack %s: correct it, or publish the rules "
			"first",
			check->rules->version);
	if (*unit->activity &&
		!is_code_of(check->rules->activities, check->rules->n_activities, unit->activity))
		av_fault(faults, CODE(UNKNOWN_VALUE), path_of(faults, "units[%zu].activity", i),
			"is not among the `activities` of the rule pack %s: correct it, or publish the rules "
			"first",
			check->rules->version);
}

static void check_root(const struct check *check)
{
	size_t roots = 0;
	for (size_t i = 0; i < check->directory->n_units; i++) {
		const Avvik__V1__Unit *unit = check->directory->units[i];
		if (*unit->parent || unit->level != COMMITTEE)
			continue;
		if (roots++ > 0)
			av_fault(check->faults, CODE(DUPLICATE),
				path_of(check->faults, "units[%zu].level", i),
				"is a second committee: one directory is of one committee; publish the other "
				"in its own instance");
	}
	if (roots == 0)
		av_fault(check->faults, CODE(REQUIRED), "units",
			"have no committee: add a unit with level committee and without parent");
}

static bool periods_meet(av_day from, av_day until, av_day other_from, av_day other_until)
{
	return (until == 0 || other_from <= until) && (other_until == 0 || from <= other_until);
}

static void check_roles(const struct check *check, const Avvik__V1__Person *person, size_t i)
{
	struct av_faults *faults = check->faults;
	for (size_t r = 0; r < person->n_roles; r++) {
		const Avvik__V1__RoleHeld *held = person->roles[r];
		if (check->rules && !is_code_of(check->rules->roles, check->rules->n_roles, held->role))
			av_fault(faults, CODE(UNKNOWN_VALUE),
				path_of(faults, "people[%zu].roles[%zu].role", i, r),
				"is not among the `roles` of the rule pack %s: correct it, or publish the "
				"rules first",
				check->rules->version);
		if (!av_org_unit(check->org, held->unit))
			av_fault(faults, CODE(UNKNOWN_REFERENCE),
				path_of(faults, "people[%zu].roles[%zu].unit", i, r),
				"is not a unit of this directory: add the unit, or correct the code");
		if (held->from_on != 0 && held->until_on != 0 && held->until_on < held->from_on)
			av_fault(faults, CODE(CONTRADICTION),
				path_of(faults, "people[%zu].roles[%zu].until_on", i, r),
				"is before from_on: give the last day the role is held");
		for (size_t other = 0; other < r; other++) {
			const Avvik__V1__RoleHeld *earlier = person->roles[other];
			if (strcmp(earlier->role, held->role) != 0 ||
				strcmp(earlier->unit, held->unit) != 0 ||
				!periods_meet(
					earlier->from_on, earlier->until_on, held->from_on, held->until_on))
				continue;
			av_fault(faults, CODE(DUPLICATE), path_of(faults, "people[%zu].roles[%zu]", i, r),
				"is the same as roles[%zu] on some day: remove one of them", other);
			break;
		}
	}
}

static void check_deputies(const struct check *check, const Avvik__V1__Person *person, size_t i)
{
	struct av_faults *faults = check->faults;
	for (size_t d = 0; d < person->n_deputies; d++) {
		const Avvik__V1__Deputy *deputy = person->deputies[d];
		if (strcmp(deputy->person, person->id) == 0)
			av_fault(faults, CODE(CONTRADICTION),
				path_of(faults, "people[%zu].deputies[%zu].person", i, d),
				"is the absent person: name someone who is there");
		else if (!av_org_person(check->org, deputy->person))
			av_fault(faults, CODE(UNKNOWN_REFERENCE),
				path_of(faults, "people[%zu].deputies[%zu].person", i, d),
				"is not a person of this directory: add the person, or correct the id");
		if (deputy->from_on == 0 || deputy->until_on == 0)
			av_fault(faults, CODE(REQUIRED),
				path_of(faults, "people[%zu].deputies[%zu].%s", i, d,
					deputy->from_on == 0 ? "from_on" : "until_on"),
				"is missing: an absence has a first and a last day");
		else if (deputy->until_on < deputy->from_on)
			av_fault(faults, CODE(CONTRADICTION),
				path_of(faults, "people[%zu].deputies[%zu].until_on", i, d),
				"is before from_on: give the last day of the absence");
	}
}

static void check_person(const struct check *check, size_t i)
{
	const Avvik__V1__Person *person = check->directory->people[i];
	struct av_faults *faults = check->faults;
	if (!code_is_lower(person->id))
		av_fault(faults, CODE(MALFORMED), path_of(faults, "people[%zu].id", i),
			"is not an account name: use only a to z, 0 to 9, point and hyphen");
	else if (av_org_person(check->org, person->id) != person)
		av_fault(faults, CODE(DUPLICATE), path_of(faults, "people[%zu].id", later_person(check, i)),
			"is the id of another person too: give each person an id of its own");
	if (text_is_blank(person->name))
		av_fault(faults, CODE(REQUIRED), path_of(faults, "people[%zu].name", i),
			"is missing: mails greet a person by name");
	check_roles(check, person, i);
	check_deputies(check, person, i);
}

/* "EC, BITR_EC or AC" */
static const char *roles_text(const Avvik__V1__ActRule *act, struct av_arena *arena)
{
	const char *text = "";
	for (size_t i = 0; i < act->n_roles && text; i++) {
		const char *between = i == 0 ? "" : i + 1 == act->n_roles ? " or " : ", ";
		text = av_arena_printf(arena, "%s%s%s", text, between, act->roles[i]);
	}
	return text ? text : "";
}

static bool somebody_may(const struct check *check, const Avvik__V1__ActRule *act, const char *unit)
{
	struct av_org_found found[AV_ORG_FOUND_MAX];
	for (size_t r = 0; r < act->n_roles; r++)
		if (av_org_find(check->org, act->roles[r], unit, 0, check->today, found) > 0)
			return true;
	return false;
}

static bool somebody_anywhere(const struct check *check, const Avvik__V1__ActRule *act)
{
	for (size_t u = 0; u < check->directory->n_units; u++)
		if (somebody_may(check, act, check->directory->units[u]->code))
			return true;
	return false;
}

static bool same_roles(const Avvik__V1__ActRule *a, const Avvik__V1__ActRule *b)
{
	if (a->n_roles != b->n_roles)
		return false;
	for (size_t i = 0; i < a->n_roles; i++)
		if (strcmp(a->roles[i], b->roles[i]) != 0)
			return false;
	return true;
}

/* One fault for a gap, though several acts may need the same roles. */
static bool asked_before(const Avvik__V1__RulePack *rules, size_t act)
{
	for (size_t i = 0; i < act; i++)
		if (same_roles(rules->acts[i], rules->acts[act]))
			return true;
	return false;
}

static void check_act(const struct check *check, const Avvik__V1__ActRule *act, struct av_arena *arena)
{
	if (!somebody_anywhere(check, act)) {
		av_fault(check->faults, CODE(REQUIRED), "people",
			"have nobody who may `%s` a case today: give somebody the role %s", act->act,
			roles_text(act, arena));
		return;
	}
	for (size_t u = 0; u < check->directory->n_units; u++) {
		const Avvik__V1__Unit *unit = check->directory->units[u];
		if (av_org_leaf(check->org, unit) && !somebody_may(check, act, unit->code))
			av_fault(check->faults, CODE(REQUIRED), path_of(check->faults, "units[%zu]", u),
				"has nobody who may `%s` a case today: give somebody the role %s here or "
				"above",
				act->act, roles_text(act, arena));
	}
}

/* Without a rule pack nothing is known of acts; then somebody at all must be above each leaf. */
static void check_somebody(const struct check *check)
{
	for (size_t u = 0; u < check->directory->n_units; u++) {
		const Avvik__V1__Unit *unit = check->directory->units[u];
		bool held = false;
		if (!av_org_leaf(check->org, unit))
			continue;
		for (size_t p = 0; p < check->directory->n_people && !held; p++)
			for (size_t r = 0; r < check->directory->people[p]->n_roles && !held; r++)
				held = av_org_within(
					check->org, unit->code, check->directory->people[p]->roles[r]->unit);
		if (!held)
			av_fault(check->faults, CODE(REQUIRED), path_of(check->faults, "units[%zu]", u),
				"has nobody with a role, here or above: give its manager the role EC");
	}
}

int directory_check(const Avvik__V1__Directory *directory, const Avvik__V1__RulePack *rules, av_day today,
	struct av_arena *arena, struct av_faults *faults)
{
	size_t before = faults->count;
	const struct av_org *org = av_org_create(directory, arena);
	const struct check check = {directory, rules, org, today, faults};
	if (!org)
		return AV_MEMORY;
	check_root(&check);
	for (size_t i = 0; i < directory->n_units; i++)
		check_unit(&check, i);
	for (size_t i = 0; i < directory->n_people; i++)
		check_person(&check, i);
	directory_check_circles(directory, arena, faults);
	/* Who is missing can only be told when the tree and the people stand. */
	if (faults->count == before) {
		if (!rules)
			check_somebody(&check);
		for (size_t i = 0; rules && i < rules->n_acts; i++)
			if (!rules->acts[i]->n_laws &&
				!asked_before(rules, i)) /* not every committee has health care */
				check_act(&check, rules->acts[i], arena);
	}
	if (av_arena_failed(arena))
		return AV_MEMORY;
	return faults->count == before ? AV_OK : AV_INVALID;
}
