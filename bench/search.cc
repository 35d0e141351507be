/*
 * The expert search beside Xapian and SQLite FTS5 used directly and beside bare in-memory postings:
 * time to build, memory, and a search for the best ten of two frequent words by OR. People are
 * synthetic, from a seed. `bench_search [COUNT...]`, 1,000 10,000 100,000 when left out. What is
 * compared: all four rank by the same words; only ours also ranks by single works, explains, and in
 * its second row counts facets and judges labels.
 */
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include <sqlite3.h>
#include <xapian.h>

#include <lyceum/experts/v1/experts.pb-c.h>
#include <lyceum/experts/v1/search.pb-c.h>

extern "C" {
#include "search.h"
#include "view.h"
}

namespace
{

using steady = std::chrono::steady_clock;

double us_since(steady::time_point start)
{
	return std::chrono::duration<double, std::micro>(steady::now() - start).count();
}

/* ---- People ---- */

struct random {
	uint64_t state;
	uint64_t next()
	{
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		return state;
	}
	double unit()
	{
		return static_cast<double>(next() >> 11) / static_cast<double>(1ULL << 53);
	}
};

constexpr size_t vocabulary_size = 20000;

std::string make_word(size_t rank)
{
	static const char *const syllables[] = {"ba", "ce", "di", "fo", "gu", "ha", "ke", "li",
						"mo", "nu", "pa", "re", "si", "to", "vu", "za"};
	std::string word;
	for (size_t left = rank + 256; left > 0; left /= 16)
		word += syllables[left % 16];
	return word + "n";
}

/* Zipf: rank r with a probability of about 1 / (r + 1). */
size_t draw_rank(random &source)
{
	double rank = std::exp(source.unit() * std::log(static_cast<double>(vocabulary_size))) - 1;
	return std::min(static_cast<size_t>(rank), vocabulary_size - 1);
}

struct person {
	std::string id, name, organisation, region;
	std::vector<std::string> titles;
	int kind;
	bool is_private;

	std::string text() const
	{
		std::string all = name + " " + organisation;
		for (const std::string &title : titles)
			all += " " + title;
		return all;
	}
};

std::vector<person> make_people(size_t count)
{
	static const char *const regions[] = {"Wales",           "Scotland",   "London",
					      "North West",      "North East", "South East",
					      "Northern Ireland"};
	random source{88172645463325252ULL};
	std::vector<person> people(count);
	for (size_t i = 0; i < count; i++) {
		person &one = people[i];
		one.id = "p" + std::to_string(i);
		one.name = make_word(source.next() % 3000) + " " + make_word(source.next() % 9000);
		one.organisation = "University of " + make_word(source.next() % 300);
		one.region = regions[source.next() % 7];
		one.kind = static_cast<int>(1 + source.next() % 9);
		one.is_private = source.next() % 10 == 0;
		for (size_t t = 1 + source.next() % 8; t > 0; t--) {
			std::string title;
			for (size_t w = 0; w < 8; w++)
				title += make_word(draw_rank(source)) + " ";
			one.titles.push_back(title);
		}
	}
	return people;
}

/* Two of the hundred most frequent words each. */
std::vector<std::vector<std::string>> make_questions()
{
	random source{123456789};
	std::vector<std::vector<std::string>> questions(200);
	for (auto &question : questions)
		question = {make_word(source.next() % 100), make_word(100 + source.next() % 100)};
	return questions;
}

/* ---- Results ---- */

struct row {
	std::string name;
	double build_ms = 0, bytes = 0, p50_us = 0, p99_us = 0;
};

template <typename Search>
void measure(row &to, const std::vector<std::vector<std::string>> &questions, Search search)
{
	std::vector<double> times;
	for (const auto &question : questions)
		search(question);
	for (const auto &question : questions) {
		auto start = steady::now();
		search(question);
		times.push_back(us_since(start));
	}
	std::sort(times.begin(), times.end());
	to.p50_us = times[times.size() / 2];
	to.p99_us = times[times.size() * 99 / 100];
}

[[noreturn]] void give_up(const char *what)
{
	std::fprintf(stderr, "bench_search: %s\n", what);
	std::exit(1);
}

/* ---- Ours ---- */

void put_ours(struct view *view, const person &one, uint64_t seq)
{
	Lyceum__Experts__V1__Expert expert = LYCEUM__EXPERTS__V1__EXPERT__INIT;
	Lyceum__Experts__V1__PersonName name = LYCEUM__EXPERTS__V1__PERSON_NAME__INIT;
	Lyceum__Experts__V1__Organisation organisation = LYCEUM__EXPERTS__V1__ORGANISATION__INIT;
	Lyceum__V1__Label label = LYCEUM__V1__LABEL__INIT;
	std::vector<Lyceum__Experts__V1__Evidence> items(one.titles.size());
	std::vector<Lyceum__Experts__V1__Evidence *> pointers;
	auto text = [](const std::string &from) { return const_cast<char *>(from.c_str()); };
	std::string home = one.is_private ? "elsewhere" : "here", ref = "G1";

	for (size_t i = 0; i < items.size(); i++) {
		lyceum__experts__v1__evidence__init(&items[i]);
		items[i].ref = text(ref);
		items[i].title = text(one.titles[i]);
		items[i].kind = LYCEUM__EXPERTS__V1__EVIDENCE__KIND__GRANT;
		pointers.push_back(&items[i]);
	}
	name.display = text(one.name);
	organisation.organisation_name = text(one.organisation);
	label.home = text(home);
	label.visibility =
		one.is_private ? LYCEUM__V1__VISIBILITY__PRIVATE : LYCEUM__V1__VISIBILITY__MEMBERS;
	expert.home = text(home);
	expert.id = text(one.id);
	expert.kind = static_cast<Lyceum__Experts__V1__ExpertKind>(one.kind);
	expert.name = &name;
	expert.organisation = &organisation;
	expert.region = text(one.region);
	expert.label = &label;
	expert.evidence = pointers.data();
	expert.n_evidence = pointers.size();
	std::vector<uint8_t> body(lyceum__experts__v1__expert__get_packed_size(&expert));
	lyceum__experts__v1__expert__pack(&expert, body.data());
	if (view_put(view, body.data(), body.size(), seq) != LYC_OK)
		give_up("a record was refused");
}

bool sees_all(void *, const Lyceum__V1__Label *)
{
	return true;
}

bool sees_open(void *, const Lyceum__V1__Label *label)
{
	return label->visibility == LYCEUM__V1__VISIBILITY__MEMBERS;
}

void search_ours(struct view *view, const std::vector<std::string> &question, bool with_all)
{
	Lyceum__Experts__V1__FindRequest request = LYCEUM__EXPERTS__V1__FIND_REQUEST__INIT;
	std::string text = question[0] + " " + question[1];

	request.text = const_cast<char *>(text.c_str());
	request.without_facets = !with_all;
	Lyceum__Experts__V1__FindReply *reply =
		search_find(view, &request, with_all ? sees_open : sees_all, nullptr);
	if (reply->n_hits == 0)
		give_up("ours found nothing");
	lyceum__experts__v1__find_reply__free_unpacked(reply, nullptr);
}

void bench_ours(const std::vector<person> &people,
		const std::vector<std::vector<std::string>> &questions, std::vector<row> &rows)
{
	struct view view;
	row bare, full;

	view_init(&view);
	auto start = steady::now();
	for (size_t i = 0; i < people.size(); i++)
		put_ours(&view, people[i], i + 1);
	bare.build_ms = full.build_ms = us_since(start) / 1000;
	bare.bytes = full.bytes =
		static_cast<double>(index_memory(view.index) + people_memory(&view.people));
	bare.name = "lyceum, ranked by works, with reasons";
	full.name = "lyceum, the same with facets and labels";
	measure(bare, questions,
		[&](const auto &question) { search_ours(&view, question, false); });
	measure(full, questions, [&](const auto &question) { search_ours(&view, question, true); });
	view_fini(&view);
	rows.push_back(bare);
	rows.push_back(full);
}

/* ---- Xapian ---- */

void bench_xapian(const std::vector<person> &people,
		  const std::vector<std::vector<std::string>> &questions, std::vector<row> &rows)
{
	row result;
	char folder[] = "/tmp/bench-search-XXXXXX";

	result.name = "Xapian 1.4, on disk";
	if (!mkdtemp(folder))
		give_up("no temporary folder");
	auto start = steady::now();
	{
		Xapian::WritableDatabase database(folder, Xapian::DB_CREATE_OR_OVERWRITE |
								  Xapian::DB_NO_SYNC);
		Xapian::TermGenerator generator;
		generator.set_stemmer(Xapian::Stem("en"));
		generator.set_stemming_strategy(Xapian::TermGenerator::STEM_ALL);
		for (const person &one : people) {
			Xapian::Document document;
			generator.set_document(document);
			generator.index_text_without_positions(one.text());
			database.add_document(document);
		}
		database.commit();
	}
	result.build_ms = us_since(start) / 1000;
	for (const auto &file : std::filesystem::directory_iterator(folder))
		result.bytes += static_cast<double>(file.file_size());
	Xapian::Database database(folder);
	Xapian::Stem stem("en");
	measure(result, questions, [&](const auto &question) {
		Xapian::Enquire enquire(database);
		enquire.set_query(
			Xapian::Query(Xapian::Query::OP_OR, stem(question[0]), stem(question[1])));
		if (enquire.get_mset(0, 10).empty())
			give_up("Xapian found nothing");
	});
	std::filesystem::remove_all(folder);
	rows.push_back(result);
}

/* ---- SQLite ---- */

void bench_sqlite(const std::vector<person> &people,
		  const std::vector<std::vector<std::string>> &questions, std::vector<row> &rows)
{
	row result;
	sqlite3 *database = nullptr;
	sqlite3_stmt *put = nullptr, *find = nullptr;

	result.name = "SQLite FTS5, in memory";
	sqlite3_int64 before = sqlite3_memory_used();
	auto start = steady::now();
	if (sqlite3_open(":memory:", &database) != SQLITE_OK ||
	    sqlite3_exec(database,
			 "CREATE VIRTUAL TABLE t USING fts5(x, content='', detail=none, "
			 "tokenize='porter unicode61'); BEGIN",
			 nullptr, nullptr, nullptr) != SQLITE_OK ||
	    sqlite3_prepare_v2(database, "INSERT INTO t(rowid, x) VALUES (?, ?)", -1, &put,
			       nullptr) != SQLITE_OK)
		give_up(sqlite3_errmsg(database));
	for (size_t i = 0; i < people.size(); i++) {
		std::string text = people[i].text();
		sqlite3_bind_int64(put, 1, static_cast<sqlite3_int64>(i));
		sqlite3_bind_text(put, 2, text.c_str(), -1, SQLITE_TRANSIENT);
		if (sqlite3_step(put) != SQLITE_DONE)
			give_up(sqlite3_errmsg(database));
		sqlite3_reset(put);
	}
	sqlite3_exec(database, "COMMIT; INSERT INTO t(t) VALUES ('optimize')", nullptr, nullptr,
		     nullptr);
	result.build_ms = us_since(start) / 1000;
	result.bytes = static_cast<double>(sqlite3_memory_used() - before);
	if (sqlite3_prepare_v2(database,
			       "SELECT rowid FROM t WHERE t MATCH ? ORDER BY rank LIMIT 10", -1,
			       &find, nullptr) != SQLITE_OK)
		give_up(sqlite3_errmsg(database));
	measure(result, questions, [&](const auto &question) {
		std::string text = question[0] + " OR " + question[1];
		int found = 0;
		sqlite3_bind_text(find, 1, text.c_str(), -1, SQLITE_TRANSIENT);
		while (sqlite3_step(find) == SQLITE_ROW)
			found++;
		sqlite3_reset(find);
		if (found == 0)
			give_up("SQLite found nothing");
	});
	sqlite3_finalize(put);
	sqlite3_finalize(find);
	sqlite3_close(database);
	rows.push_back(result);
}

/* ---- Bare postings ---- */

void bench_bare(const std::vector<person> &people,
		const std::vector<std::vector<std::string>> &questions, std::vector<row> &rows)
{
	struct posting {
		uint32_t doc;
		float weight;
	};
	row result;
	std::unordered_map<std::string, std::vector<posting>> index;
	std::vector<float> sums(people.size());

	result.name = "bare postings, in memory";
	auto start = steady::now();
	for (size_t i = 0; i < people.size(); i++) {
		std::string text = people[i].text();
		for (char *word = std::strtok(text.data(), " "); word;
		     word = std::strtok(nullptr, " ")) {
			auto &list = index[word];
			if (!list.empty() && list.back().doc == i)
				list.back().weight += 1;
			else
				list.push_back({static_cast<uint32_t>(i), 1});
		}
	}
	result.build_ms = us_since(start) / 1000;
	for (const auto &entry : index)
		result.bytes += static_cast<double>(entry.second.capacity() * sizeof(posting) +
						    entry.first.size() + 64);
	measure(result, questions, [&](const auto &question) {
		std::fill(sums.begin(), sums.end(), 0.0f);
		for (const std::string &word : question) {
			const auto &list = index[word];
			float idf = std::log(1 + static_cast<float>(people.size()) /
							 (1 + static_cast<float>(list.size())));
			for (const posting &one : list)
				sums[one.doc] += idf * one.weight / (one.weight + 1.2f);
		}
		std::vector<std::pair<float, uint32_t>> best;
		for (uint32_t doc = 0; doc < sums.size(); doc++) {
			if (best.size() == 10 && sums[doc] <= best.front().first)
				continue;
			best.push_back({sums[doc], doc});
			std::push_heap(best.begin(), best.end(), std::greater<>());
			if (best.size() > 10) {
				std::pop_heap(best.begin(), best.end(), std::greater<>());
				best.pop_back();
			}
		}
		if (best.empty() || best.back().first <= 0)
			give_up("the bare postings found nothing");
	});
	rows.push_back(result);
}

void print(size_t count, const std::vector<row> &rows)
{
	double base = rows[0].p50_us;

	std::printf("\n%zu experts\n%-42s %10s %10s %10s %10s %10s\n", count, "", "per second",
		    "bytes each", "p50 us", "p99 us", "p50 ratio");
	for (const row &one : rows)
		std::printf("%-42s %10.0f %10.0f %10.0f %10.0f %10.2f\n", one.name.c_str(),
			    static_cast<double>(count) / one.build_ms * 1000,
			    one.bytes / static_cast<double>(count), one.p50_us, one.p99_us,
			    one.p50_us / base);
}

} // namespace

int main(int argc, char **argv)
{
	std::vector<size_t> counts = {1000, 10000, 100000};
	if (argc > 1) {
		counts.clear();
		for (int i = 1; i < argc; i++)
			counts.push_back(std::strtoul(argv[i], nullptr, 10));
	}
	std::printf("Two frequent words by OR, the best ten; 200 questions after a warm-up. Ours "
		    "holds the records, too.\n");
	for (size_t count : counts) {
		std::vector<person> people = make_people(std::max<size_t>(count, 100));
		std::vector<row> rows;
		auto questions = make_questions();
		bench_ours(people, questions, rows);
		bench_xapian(people, questions, rows);
		bench_sqlite(people, questions, rows);
		bench_bare(people, questions, rows);
		print(people.size(), rows);
		std::fflush(stdout);
	}
	return 0;
}
