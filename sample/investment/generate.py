#!/usr/bin/env python3
"""Writes the sample's ventures and investors, one folder a node, and a cohort of funding rounds, always the same bytes.

Nothing here exists: names are put together from lists, registration numbers begin with SYN, addresses end in .example, amounts are drawn
and then made to sum. Only two totals are not drawn: the cohort's 30,000,000.00 and, of it, 6,500,000.00 through medcity's own network.
Usage: generate.py FOLDER
"""
import csv
import datetime
import os
import random
import sys

# Node: regions with how many ventures and investors each. The Midlands have no node in the sample; nhsa looks after its ventures.
NODES = {
    "nhsa": [("North West", 5, 3), ("North East", 4, 2), ("Yorkshire and The Humber", 4, 3), ("East Midlands", 3, 1)],
    "medcity": [("London", 9, 10), ("South East", 5, 4), ("East of England", 5, 4)],
    "wales": [("Wales", 8, 3), ("South West", 4, 2)],
}
FIRST = """Aeron Ashlar Bramble Caldera Cinder Cobalt Corvid Dovetail Ember Fathom Ferrule Gannet Gossamer Harbour Heron Isinglass Juniper
Keystone Lantern Larch Lodestar Marram Merlin Nimbus Ochre Osprey Pennant Quarry Quill Rowan Sable Saffron Sextant Slate Sorrel Tallow
Thistle Tiller Umber Vellum Verdant Wicket Willow Yarrow Zephyr""".split()
SUBJECTS = {
    "cell and gene therapy": ("Cellworks|Regen|Vectors", ["closed-system expansion of T cells", "corneal repair with amniotic membrane", "cryopreserved cell products"]),
    "biomaterials": ("Collagen|Biomaterials", ["jellyfish collagen scaffolds", "bone grafts by 3D printing", "hydrogels for wounds"]),
    "diagnostics": ("Diagnostics|Assays", ["rapid susceptibility testing", "point-of-care troponin", "lateral flow tests in schools"]),
    "medical devices": ("Devices|Medical", ["soft robots for endoscopy", "low-field MRI in community clinics", "robot-assisted arm training"]),
    "digital health": ("Health|Digital", ["telerehabilitation after stroke", "home spirometry by telephone", "waiting lists in child services"]),
    "therapeutics": ("Therapeutics|Pharma", ["phage therapy for chronic wounds", "natural products from marine sponges", "fragment screening of kinases"]),
    "genomics": ("Genomics|Genetics", ["variant interpretation for cardiomyopathy", "pharmacogenomics in primary care"]),
    "manufacturing": ("Bioprocess|Manufacture", ["lentiviral vector purification", "single-use bioreactors for small batches"]),
    "agriculture and food": ("Foods|Agri", ["raw milk cheese safety", "novel proteins from pulses"]),
}
NEEDS = ["regulatory advice", "clinical trials", "manufacturing partner", "first customers", "board member", "team", "follow-on money", "laboratory space",
         "intellectual property advice", "nhs access"]
TRAITS = ["animal testing", "genetic modification", "embryo research"]
# Stage: ask in thousands.
STAGES = {"pre seed": (80, 300), "seed": (250, 1200), "series a": (1500, 6000), "series b": (6000, 20000)}
GIVEN = "Amara Anwen Bela Carys Dafydd Ebele Elif Farah Gethin Greta Hamish Ishaan Jory Leila Mabel Nerys Omar Priya Rhodri Seren Tariq Una Wren Zahra".split()
FAMILY = """Addlestone Beddoe Coldharbour Dinwiddie Emberton Fazackerley Garside Harkaway Ibekwe Jesmond Kettlewell Lightowler Merryweather Netherby
Ormerod Pargeter Quarmby Ravenscroft Saltonstall Thistlethwaite Underhay Venables Wainscott Yarborough""".split()

VENTURE_COLUMNS = ["venture id", "name", "company number", "contact", "stage", "sectors", "region", "ask min", "ask max", "currency", "instruments",
                   "traits", "needs", "exclusions", "capacity", "summary"]
INVESTOR_COLUMNS = ["investor id", "name", "company number", "contact", "ticket min", "ticket max", "currency", "stages", "sectors", "regions",
                    "preferred regions", "instruments", "exclusions", "co invest ok", "certification", "exempt", "certified from", "certified until",
                    "capacity", "traits", "offers", "summary"]
ROUND_COLUMNS = ["round id", "venture id", "stage", "target", "currency", "opened", "closed"]
COMMITMENT_COLUMNS = ["commitment id", "round id", "investor id", "amount", "currency", "via node", "lead"]


def name_from(rng, taken, make):
    while True:
        name = make()
        if name not in taken:
            taken.add(name)
            return name


def venture(rng, node, region, number, taken):
    sectors = rng.sample(list(SUBJECTS), rng.choice([1, 1, 2]))
    words, subjects = SUBJECTS[sectors[0]]
    subject = rng.choice(subjects)
    stage = rng.choice(["pre seed", "seed", "seed", "seed", "series a", "series a", "series b"])
    least, most = STAGES[stage]
    ask = rng.randrange(least, most, 10) * 1000
    slug = f"{node}-v{number:02d}"
    name = name_from(rng, taken, lambda: f"{rng.choice(FIRST)} {rng.choice(words.split('|'))}")
    instruments = {"pre seed": "equity; seis", "seed": "equity; eis", "series a": "equity; eis", "series b": "equity"}[stage]
    return [slug, name, f"SYN-{slug.upper()}", f"hello@{slug}.example", stage, "; ".join(sectors), region, ask // 2, ask, "GBP", instruments,
            "; ".join(rng.sample(TRAITS, rng.choice([0, 0, 0, 1]))), "; ".join(sorted(rng.sample(NEEDS, rng.choice([1, 2, 3])))),
            rng.choice(["", "", "", "", "tobacco", "strategic investor"]), rng.choice([2, 3, 3, 4]), f"Synthetic venture: {subject}."]


def investor(rng, node, region, number, taken):
    kind = rng.choice(["angel"] * 5 + ["fund"] * 3 + ["corporate"])
    slug = f"{node}-i{number:02d}"
    low, high = {"angel": (10, 100), "fund": (250, 3000), "corporate": (500, 5000)}[kind]
    ticket = rng.randrange(low, high, 5) * 1000
    stages = {"angel": "pre seed; seed", "fund": "seed; series a; series b", "corporate": "series a; series b"}[kind]
    if kind == "angel":
        name = name_from(rng, taken, lambda: f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}")
    else:
        last = "Ventures" if kind == "fund" else "Industries"
        name = name_from(rng, taken, lambda: f"{rng.choice(FIRST)} {rng.choice(FAMILY)} {last}")
    certified = ["", "yes", "", ""]
    if kind == "angel":
        certified = [rng.choice(["high net worth", "sophisticated"]), "no", "2024-01-01", "2030-12-31"]
        if number % 7 == 3:
            # One in seven forgot to renew it.
            certified[2:] = ["2019-02-01", "2020-01-31"]
    return [slug, name, f"SYN-{slug.upper()}" if kind != "angel" else "", f"hello@{slug}.example", max(5000, ticket // 4), ticket, "GBP", stages,
            "; ".join(rng.sample(list(SUBJECTS), rng.choice([2, 3, 4]))), rng.choice(["UK", "UK", "UK", "England", region]), region,
            {"angel": "seis; eis", "fund": "equity", "corporate": "equity"}[kind], rng.choice(["", "", "", "animal testing", "embryo research"]),
            "yes" if kind == "angel" else rng.choice(["yes", "no"])] + certified + [
                rng.choice([2, 3, 5]), "strategic investor" if kind == "corporate" else "", "; ".join(sorted(rng.sample(NEEDS, rng.choice([1, 2, 3])))),
                f"Synthetic {kind}."]


# For the story: a London angel whose interest is met by one venture in Wales and one in Nottingham.
STORY = {
    ("wales", "ventures"): ["wales-v00", "Morfa Collagen", "SYN-WALES-V00", "hello@wales-v00.example", "seed", "biomaterials; cell and gene therapy",
                            "Wales", 300000, 600000, "GBP", "equity; eis", "", "first customers; regulatory advice", "", 3,
                            "Synthetic venture: jellyfish collagen scaffolds."],
    ("nhsa", "ventures"): ["nhsa-v00", "Lacemarket Sight", "SYN-NHSA-V00", "hello@nhsa-v00.example", "seed", "cell and gene therapy; biomaterials",
                           "Nottingham", 250000, 500000, "GBP", "equity; eis", "", "nhs access; regulatory advice", "", 3,
                           "Synthetic venture: corneal repair with amniotic membrane."],
    ("medcity", "investors"): ["medcity-i00", "Tamsin Underhay-Vale", "", "hello@medcity-i00.example", 25000, 300000, "GBP", "seed",
                               "cell and gene therapy; biomaterials", "UK", "Wales; Midlands", "eis", "embryo research", "yes", "sophisticated", "no",
                               "2024-01-01", "2030-12-31", 5, "", "nhs access; regulatory advice", "Synthetic angel of the sample's story."],
}


def pence(amount):
    return f"{amount // 100}.{amount % 100:02d}"


def amounts(rng, total, count):
    """So many positive amounts that sum to the total: most of them round, one in eight to the penny, the last one whatever is left."""
    weights = [rng.choice([5, 10, 10, 25, 25, 50, 50, 75, 100, 250]) * rng.uniform(0.8, 1.25) for _ in range(count)]
    drawn = []
    for weight in weights[:-1]:
        amount = int(total * weight / sum(weights))
        drawn.append(max(100000, amount - amount % 50000) if rng.randrange(8) else amount)
    drawn.append(total - sum(drawn))
    assert min(drawn) > 0
    return drawn


def cohort(rng):
    """80 ventures, 5 years: 1 April 2016 to 31 March 2021."""
    rounds = []
    for number in range(1, 81):
        day = datetime.date(2016, 4, 1) + datetime.timedelta(days=rng.randrange(900))
        for stage in ["pre seed", "seed", "series a"][:rng.choice([1, 1, 2, 2, 3])]:
            closed = min(day + datetime.timedelta(days=rng.randrange(60, 200)), datetime.date(2021, 3, 31))
            rounds.append([f"SYN-R{len(rounds) + 1:03d}", f"syn-cohort-{number:02d}", stage, day, closed])
            day = min(closed + datetime.timedelta(days=rng.randrange(150, 400)), datetime.date(2021, 1, 15))
    own = [(amount, "medcity") for amount in amounts(rng, 650000000, 118)]
    others = [(amount, rng.choice(["", "", "", "nhsa", "wales"])) for amount in amounts(rng, 2350000000, 264)]
    paid = own + others
    rng.shuffle(paid)
    # Each round has at least one.
    chosen = list(range(len(rounds))) + [rng.randrange(len(rounds)) for _ in range(len(paid) - len(rounds))]
    commitments = [[f"SYN-C{i + 1:03d}", rounds[at][0], f"syn-backer-{rng.randrange(1, 140):03d}", amount, via]
                   for i, (at, (amount, via)) in enumerate(zip(chosen, paid))]
    return rounds, commitments


def write(path, columns, rows):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def write_cohort(folder, rng):
    rounds, commitments = cohort(rng)
    totals = {}
    leads = {}
    for row in commitments:
        totals[row[1]] = totals.get(row[1], 0) + row[3]
        if row[3] > leads.get(row[1], (0, ""))[0]:
            leads[row[1]] = (row[3], row[0])
    assert len(totals) == len(rounds) and sum(totals.values()) == 3000000000
    assert sum(row[3] for row in commitments if row[4] == "medcity") == 650000000
    write(os.path.join(folder, "cohort", "rounds.csv"), ROUND_COLUMNS,
          [[name, of, stage, pence(totals[name]), "GBP", opened, closed] for name, of, stage, opened, closed in rounds])
    write(os.path.join(folder, "cohort", "commitments.csv"), COMMITMENT_COLUMNS,
          [[name, of, backer, pence(amount), "GBP", via, "yes" if leads[of][1] == name else "no"] for name, of, backer, amount, via in commitments])


def main():
    folder = sys.argv[1]
    rng = random.Random(650)
    taken = set()
    for node, regions in NODES.items():
        rows = {"ventures": [], "investors": []}
        for region, venture_count, investor_count in regions:
            rows["ventures"] += [venture(rng, node, region, len(rows["ventures"]) + 1 + i, taken) for i in range(venture_count)]
            rows["investors"] += [investor(rng, node, region, len(rows["investors"]) + 1 + i, taken) for i in range(investor_count)]
        for kind, columns in (("ventures", VENTURE_COLUMNS), ("investors", INVESTOR_COLUMNS)):
            extra = [STORY[node, kind]] if (node, kind) in STORY else []
            write(os.path.join(folder, node, kind + ".csv"), columns, extra + rows[kind])
    write_cohort(folder, rng)


if __name__ == "__main__":
    main()
