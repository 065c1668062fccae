"""The twelve categories of the retail demonstration: what they hold and how they sell.

What comes in: nothing, these are lists. What goes out: names, prices in cents, integer weights.
Items and brands are invented. It must never be reordered: positions are part of the counters that
the draws hang on.
"""

from __future__ import annotations

from dataclasses import dataclass

BRANDS = (
    "Alderbrook", "Bellwether", "Cedarline", "Dovetail", "Easterly", "Fernhill", "Greyfield",
    "Hollowood", "Ironbark", "Juniper Row", "Kestrel", "Larkspur", "Millrace", "Northgate",
    "Oakhaven", "Pinecrest", "Quillon", "Redfern", "Saltmarsh", "Thornbury",
)  # fmt: skip

FLAT = (100,) * 12
WARM = (60, 62, 85, 110, 128, 140, 145, 138, 108, 88, 70, 66)
COLD = (132, 126, 108, 92, 80, 72, 70, 74, 90, 108, 122, 134)
GARDEN = (30, 42, 95, 165, 190, 160, 120, 95, 80, 60, 35, 28)
GIFTS = (62, 68, 74, 80, 84, 86, 84, 82, 86, 100, 168, 226)
SCHOOL = (104, 92, 88, 86, 88, 84, 126, 188, 138, 92, 82, 94)


@dataclass(frozen=True, slots=True)
class Category:
    """One category.

    Attributes:
        name: shown as a level's member.
        count: products in it, at most items x brands.
        popularity: its products' weight among all.
        bulk: whether several pieces in one go are common.
        returned_per_mille: share of transactions that are returns.
        cost_per_mille: unit cost in per mille of the list price, on average.
        season: percent of its usual share by calendar month.
        items: what is sold, with its price in cents before the brand's factor; every product is
            one item of one brand.
    """

    name: str
    count: int
    popularity: int
    bulk: bool
    returned_per_mille: int
    cost_per_mille: int
    season: tuple[int, ...]
    items: tuple[tuple[str, int], ...]


CATEGORIES = (
    Category("Grocery", 262, 9, True, 8, 712, FLAT, (
        ("Rolled Oats", 449), ("Basmati Rice", 799), ("Penne", 249), ("Tomato Passata", 289),
        ("Chickpeas", 189), ("Olive Oil", 1490), ("Sea Salt", 329), ("Wildflower Honey", 990),
        ("Peanut Butter", 589), ("Granola", 649), ("Crackers", 379), ("Dark Chocolate", 429),
        ("Black Pepper", 549), ("Red Lentils", 359))),
    Category("Beverages", 171, 8, True, 7, 705, WARM, (
        ("Ground Coffee", 1390), ("Green Tea", 590), ("Sparkling Water", 690),
        ("Orange Juice", 479), ("Cold Brew", 1090), ("Ginger Ale", 790), ("Cocoa", 649),
        ("Oat Drink", 439), ("Iced Tea", 829), ("Espresso Beans", 1890))),
    Category("Household", 224, 10, True, 12, 690, FLAT, (
        ("Dish Soap", 429), ("Laundry Liquid", 1590), ("Paper Towels", 1290), ("Sponges", 399),
        ("Bin Liners", 890), ("Glass Cleaner", 549), ("Candles", 1490), ("Batteries", 1390),
        ("Light Bulbs", 1190), ("Matches", 249), ("Floor Cleaner", 749), ("Clothes Pegs", 519))),
    Category("Health & Beauty", 213, 9, True, 14, 655, FLAT, (
        ("Shampoo", 890), ("Hand Cream", 790), ("Toothpaste", 449), ("Sunscreen", 1590),
        ("Shaving Foam", 629), ("Lip Balm", 389), ("Body Wash", 749), ("Vitamin C", 1490),
        ("Face Mask", 1990), ("Cotton Pads", 329), ("Nail File", 299))),
    Category("Kitchen", 207, 9, False, 28, 664, GIFTS, (
        ("Frying Pan", 4490), ("Chef's Knife", 5990), ("Mixing Bowl", 1990), ("Mug", 1290),
        ("Cutting Board", 2790), ("Whisk", 1090), ("Teapot", 3890), ("Baking Tray", 1890),
        ("Storage Jar", 990), ("Peeler", 790), ("Colander", 2490))),
    Category("Pet Care", 148, 8, True, 13, 708, FLAT, (
        ("Dry Dog Food", 3490), ("Cat Litter", 1690), ("Cat Treats", 449), ("Dog Lead", 1990),
        ("Bird Seed", 1290), ("Chew Toy", 890), ("Pet Shampoo", 1090), ("Feeding Bowl", 1490))),
    Category("Garden", 176, 8, False, 24, 671, GARDEN, (
        ("Trowel", 1290), ("Potting Soil", 1190), ("Tomato Seeds", 449), ("Watering Can", 2490),
        ("Pruning Shears", 2990), ("Plant Pot", 990), ("Garden Gloves", 1390), ("Hose", 4990),
        ("Lawn Feed", 2690))),
    Category("Stationery", 169, 8, True, 15, 648, SCHOOL, (
        ("Notebook", 690), ("Gel Pens", 890), ("Sketch Pad", 1290), ("Desk Planner", 1890),
        ("Stapler", 1490), ("Envelopes", 549), ("Markers", 1190), ("Glue Stick", 289),
        ("Pencil Case", 1390))),
    Category("Toys", 181, 9, False, 38, 678, GIFTS, (
        ("Building Blocks", 4990), ("Jigsaw Puzzle", 1890), ("Board Game", 3490),
        ("Plush Bear", 2490), ("Kite", 2190), ("Toy Train", 5990), ("Card Game", 1290),
        ("Modelling Clay", 890), ("Spinning Top", 690), ("Marbles", 590))),
    Category("Clothing", 232, 11, False, 72, 642, COLD, (
        ("Crew Socks", 1190), ("T-Shirt", 1990), ("Wool Scarf", 3490), ("Rain Jacket", 8990),
        ("Beanie", 1890), ("Hoodie", 4990), ("Work Gloves", 1690), ("Pyjamas", 3990),
        ("Belt", 2990), ("Leggings", 2790), ("Slippers", 2490), ("Flannel Shirt", 4490))),
    Category("Sports", 139, 9, False, 41, 683, WARM, (
        ("Yoga Mat", 3490), ("Water Bottle", 1990), ("Tennis Balls", 890),
        ("Skipping Rope", 1290), ("Gym Bag", 4990), ("Cycling Lamp", 2990), ("Football", 2490),
        ("Swim Goggles", 1890))),
    Category("Electronics", 109, 11, False, 56, 731, GIFTS, (
        ("Charging Cable", 1490), ("Earphones", 3990), ("Desk Lamp", 4490), ("Alarm Clock", 2490),
        ("Portable Speaker", 7990), ("Power Bank", 3490))),
)  # fmt: skip
