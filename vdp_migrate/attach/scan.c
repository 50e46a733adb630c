/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scan for the module list, see scan.h. A false match would need a word that
 * points at a foreign object which points back at exactly that word, continues as
 * a consistent chain, and holds both wanted IDs with exactly their slots, all in
 * code. Of a node only the fields that every module sets are read.
 */
#include "scan.h"

#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include "lldpad.h"

#define ID_MAX 0xffffff		/* an OUI's subtype, or a TLV type */

/* What of a node is looked at. */
struct node {
	int id;
	unsigned slots;
	uintptr_t next;
};

struct walk {
	const struct scan_image *image;
	const struct scan_rules *rules;
	const struct peek *peek;
	struct scan_result *result;
};

static int note_segments(struct dl_phdr_info *info, size_t size, void *arg);
static void add_range(struct scan_range *ranges, unsigned *n, uintptr_t start,
		      uintptr_t end);
static void try_word(const struct walk *w, uintptr_t at);
static enum scan_rule check_list(const struct walk *w, uintptr_t head, uintptr_t first,
				 struct scan_result *found);
static enum scan_rule check_node(const struct walk *w, uintptr_t at, uintptr_t back,
				 struct node *ret_node);
static enum scan_rule check_ops(const struct walk *w, uintptr_t ops, struct node *node);
static uintptr_t word_at(uintptr_t at);
static bool read_at(const struct walk *w, uintptr_t at, void *ret_to, size_t n);
static bool in_range(const struct scan_range *r, uintptr_t at, size_t n);

bool scan_self(struct scan_image *ret_image)
{
	struct scan_image image = { .whole = { UINTPTR_MAX, 0 } };

	/* The first object is the program itself; 1 ends the walk. */
	if (dl_iterate_phdr(note_segments, &image) != 1)
		return false;
	*ret_image = image;
	return true;
}

int scan_modules(const struct scan_image *image, const struct scan_rules *rules,
		 const struct peek *peek, struct scan_result *ret_result)
{
	struct scan_result result = {
		.failed = image->n_data ? SCAN_NO_POINTER : SCAN_NO_DATA,
	};
	struct walk w = { image, rules, peek, &result };

	for (unsigned i = 0; i < image->n_data; i++) {
		const struct scan_range *data = &image->data[i];

		for (uintptr_t at = data->start; data->end - at >= sizeof(at) &&
		     result.failed != SCAN_UNREADABLE; at += sizeof(at))
			try_word(&w, at);
	}
	if (result.failed != SCAN_UNREADABLE && result.lists == 1)
		result.failed = SCAN_PASSED;
	else if (result.failed != SCAN_UNREADABLE && result.lists > 1)
		result.failed = SCAN_SEVERAL;
	if (result.failed != SCAN_PASSED)
		result.head = NULL;
	*ret_result = result;
	return result.head ? 0 : -ENOENT;
}

void *scan_program(const struct scan_rules *rules, char *ret_why, size_t size)
{
	struct scan_result result = { .failed = SCAN_UNREADABLE };
	struct scan_image image;
	struct peek peek;
	int r;

	if (!scan_self(&image)) {
		snprintf(ret_why, size, "the program has too many segments");
		return NULL;
	}
	r = peek_open(&peek);
	if (r) {
		result.error = -r;
	} else {
		scan_modules(&image, rules, &peek, &result);
		peek_close(&peek);
	}
	scan_text(&result, ret_why, size);
	return result.head;
}

const char *scan_text(const struct scan_result *result, char *buf, size_t size)
{
	static const char *const texts[] = {
		[SCAN_PASSED] = "found",
		[SCAN_NO_DATA] = "the program has no writable segment",
		[SCAN_NO_POINTER] = "no word of the program's data points at a module",
		[SCAN_FIRST_NODE] = "no list head: nothing points back at its head",
		[SCAN_NODE] = "a node is not on the heap",
		[SCAN_BACK_POINTER] = "a node does not point back at its predecessor",
		[SCAN_ID] = "a module's ID is out of range",
		[SCAN_OPS] = "a module's operations are not the program's",
		[SCAN_SLOT] = "an operation is no code of the program",
		[SCAN_SLOTS] = "a module cannot register or unregister",
		[SCAN_TOO_MANY] = "too many modules",
		[SCAN_TOO_FEW] = "too few modules",
		[SCAN_WANTED] = "a module is not there exactly once",
		[SCAN_WANTED_SLOTS] = "a module has other operations than known",
		[SCAN_SEVERAL] = "several lists look like it",
		[SCAN_UNREADABLE] = "memory cannot be read safely",
	};
	char of[64] = "";

	if (result->failed == SCAN_UNREADABLE)
		snprintf(of, sizeof(of), ": %s", strerror(result->error));
	else if (result->id)
		snprintf(of, sizeof(of), ": module 0x%x, slots 0x%04x",
			 (unsigned)result->id, result->slots);
	snprintf(buf, size, "%s%s (%u words, %u candidates, %u lists)",
		 texts[result->failed], of, result->words, result->candidates,
		 result->lists);
	return buf;
}

static int note_segments(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct scan_range relro = { 0, 0 };
	struct scan_image *image = arg;

	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO) {
			relro.start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
			relro.end = relro.start + info->dlpi_phdr[i].p_memsz;
		}
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + ph->p_vaddr;
		uintptr_t end = start + ph->p_memsz;

		if (ph->p_type != PT_LOAD)
			continue;
		if (image->n_data + 2 > SCAN_RANGES_MAX ||
		    image->n_text == SCAN_RANGES_MAX)
			return 2;
		if (start < image->whole.start)
			image->whole.start = start;
		if (end > image->whole.end)
			image->whole.end = end;
		if (ph->p_flags & PF_X)
			add_range(image->text, &image->n_text, start, end);
		if (!(ph->p_flags & PF_W))
			continue;
		if (relro.end <= start || relro.start >= end) {
			add_range(image->data, &image->n_data, start, end);
			continue;
		}
		add_range(image->data, &image->n_data, start, relro.start);
		add_range(image->data, &image->n_data, relro.end, end);
	}
	return 1;
}

static void add_range(struct scan_range *ranges, unsigned *n, uintptr_t start,
		      uintptr_t end)
{
	start = (start + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);
	if (start < end)
		ranges[(*n)++] = (struct scan_range){ start, end };
}

/* Is the word at this address the head of the list? */
static void try_word(const struct walk *w, uintptr_t at)
{
	struct scan_result found = { 0 }, *result = w->result;
	uintptr_t first = word_at(at);

	result->words++;
	if (!first || first % sizeof(void *) || in_range(&w->image->whole, first, 1))
		return;
	result->candidates++;
	found.failed = check_list(w, at, first, &found);
	if (found.failed == SCAN_PASSED) {
		result->head = (void *)at;
		result->lists++;
	} else if (found.failed > result->failed) {
		result->failed = found.failed;
		result->id = found.id;
		result->slots = found.slots;
	}
}

static enum scan_rule check_list(const struct walk *w, uintptr_t head, uintptr_t first,
				 struct scan_result *found)
{
	const struct scan_rules *rules = w->rules;
	unsigned seen[rules->n_wanted + 1], n = 0;
	uintptr_t back = head;

	memset(seen, 0, sizeof(seen));
	for (uintptr_t at = first; at; n++) {
		struct node node = { 0 };
		enum scan_rule failed = check_node(w, at, back, &node);

		found->id = node.id;
		found->slots = node.slots;
		if (n == 0 && (failed == SCAN_BACK_POINTER || failed == SCAN_NODE))
			return SCAN_FIRST_NODE;
		if (failed)
			return failed;
		if (n == rules->nodes_max)
			return SCAN_TOO_MANY;
		for (unsigned i = 0; i < rules->n_wanted; i++) {
			if (rules->wanted[i].id != node.id)
				continue;
			seen[i]++;
			if (rules->wanted[i].slots != node.slots)
				return SCAN_WANTED_SLOTS;
		}
		back = at + offsetof(struct lldpad_module, next);
		at = node.next;
	}
	found->id = 0;
	if (n < rules->nodes_min)
		return SCAN_TOO_FEW;
	for (unsigned i = 0; i < rules->n_wanted; i++) {
		found->id = rules->wanted[i].id;
		found->slots = rules->wanted[i].slots;
		if (seen[i] != 1)
			return SCAN_WANTED;
	}
	return SCAN_PASSED;
}

static enum scan_rule check_node(const struct walk *w, uintptr_t at, uintptr_t back,
				 struct node *ret_node)
{
	struct {
		uintptr_t ops, next, prev;
	} links;
	int id;

	_Static_assert(offsetof(struct lldpad_module, ops) + 2 * sizeof(void *) ==
		       offsetof(struct lldpad_module, prev), "links");
	if (at % sizeof(void *) || in_range(&w->image->whole, at, 1))
		return SCAN_NODE;
	/* The back pointer alone first: only it is sure to mean anything. */
	if (!read_at(w, at + offsetof(struct lldpad_module, prev), &links.prev,
		     sizeof(links.prev)))
		return w->result->error ? SCAN_UNREADABLE : SCAN_NODE;
	if (links.prev != back)
		return SCAN_BACK_POINTER;
	if (!read_at(w, at + offsetof(struct lldpad_module, id), &id, sizeof(id)) ||
	    !read_at(w, at + offsetof(struct lldpad_module, ops), &links, sizeof(links)))
		return w->result->error ? SCAN_UNREADABLE : SCAN_NODE;
	if (id <= 0 || id > ID_MAX)
		return SCAN_ID;
	ret_node->id = id;
	ret_node->next = links.next;
	return check_ops(w, links.ops, ret_node);
}

static enum scan_rule check_ops(const struct walk *w, uintptr_t ops, struct node *node)
{
	uintptr_t slot[LLDPAD_SLOTS];

	if (ops % sizeof(ops) || !in_range(&w->image->whole, ops, sizeof(slot)))
		return SCAN_OPS;
	if (!read_at(w, ops, slot, sizeof(slot)))
		return w->result->error ? SCAN_UNREADABLE : SCAN_OPS;
	for (unsigned i = 0; i < LLDPAD_SLOTS; i++) {
		bool code = false;

		if (!slot[i])
			continue;
		node->slots |= 1u << i;
		for (unsigned k = 0; k < w->image->n_text && !code; k++)
			code = in_range(&w->image->text[k], slot[i], 1);
		if (!code)
			return SCAN_SLOT;
	}
	if ((node->slots & w->rules->slots) != w->rules->slots)
		return SCAN_SLOTS;
	return SCAN_PASSED;
}

/* Of a segment: mapped, whatever a sanitizer thinks of gaps between variables. */
__attribute__((no_sanitize("address"))) static uintptr_t word_at(uintptr_t at)
{
	typedef uintptr_t __attribute__((may_alias)) word;

	return *(const word *)at;
}

/* False: there is no such memory; w->result->error is set where reading as such
 * does not work. */
static bool read_at(const struct walk *w, uintptr_t at, void *ret_to, size_t n)
{
	int r = peek_read(w->peek, (const void *)at, ret_to, n);

	if (r && r != -EFAULT)
		w->result->error = -r;
	return !r;
}

static bool in_range(const struct scan_range *r, uintptr_t at, size_t n)
{
	return at >= r->start && at < r->end && n <= r->end - at;
}
