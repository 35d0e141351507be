/* People from a seed, and the engines by their kinds. */
#include "search/people.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>

namespace bench
{

uint64_t random::next()
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

double random::unit()
{
	return static_cast<double>(next() >> 11) / static_cast<double>(1ULL << 53);
}

namespace
{

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

} // namespace

std::string person::text() const
{
	std::string all = name + " " + organisation;
	for (const std::string &title : titles)
		all += " " + title;
	return all;
}

person people::next()
{
	static const char *const regions[] = {"Wales",           "Scotland",   "London",
					      "North West",      "North East", "South East",
					      "Northern Ireland"};
	person one;
	one.id = "p" + std::to_string(made++);
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
	return one;
}

const std::vector<question> &questions()
{
	static std::vector<question> all;
	random source{123456789};
	while (all.size() < ENGINE_QUESTIONS) {
		std::string first = make_word(source.next() % 100);
		all.push_back({first, make_word(100 + source.next() % 100)});
	}
	return all;
}

} // namespace bench

/* ---- engines ---- */

struct engine {
	std::unique_ptr<bench::base> base;
};

static std::unique_ptr<bench::base> make(enum engine_kind kind, const char *folder)
{
	switch (kind) {
	case ENGINE_XAPIAN:
		return bench::make_xapian(folder);
	case ENGINE_SQLITE:
		return bench::make_sqlite();
	case ENGINE_POSTINGS:
		return bench::make_postings();
	default:
		return bench::make_ours();
	}
}

struct engine *engine_build(enum engine_kind kind, size_t count, const char *folder,
			    struct engine_facts *ret_facts)
{
	using clock = std::chrono::steady_clock;
	try {
		auto made = std::make_unique<engine>();
		made->base = make(kind, folder);
		bench::people people;
		double spent = 0;
		for (size_t i = 0; i < count; i++) {
			bench::person one = people.next();
			auto start = clock::now();
			made->base->put(one, i);
			spent += std::chrono::duration<double>(clock::now() - start).count();
		}
		auto start = clock::now();
		made->base->finish();
		spent += std::chrono::duration<double>(clock::now() - start).count();
		*ret_facts = {spent, made->base->bytes()};
		return made.release();
	} catch (const std::exception &fault) {
		std::fprintf(stderr, "bench_search: %s\n", fault.what());
		return nullptr;
	}
}

void engine_free(struct engine *engine)
{
	delete engine;
}

bool engine_ask(struct engine *engine, size_t question, bool with_all)
{
	try {
		return engine->base->ask(bench::questions()[question % ENGINE_QUESTIONS], with_all);
	} catch (const std::exception &fault) {
		std::fprintf(stderr, "bench_search: %s\n", fault.what());
		return false;
	}
}
