"""getopt(3) as BSD has it: options end at the first operand, and an unknown one is refused by name."""


class UsageError(Exception):
    """An option that the command does not have, or one without its argument."""


def parse(name, words, options):
    """Splits `words` into ([(letter, value or None)], operands) by an option string such as "ab:c".

    Raises UsageError with BSD's words.
    """
    found = []
    index = 0
    while index < len(words):
        word = words[index]
        if word == "--":
            index += 1
            break
        if word == "-" or not word.startswith("-"):
            break
        index += 1
        at = 1
        while at < len(word):
            letter = word[at]
            at += 1
            place = -1 if letter in ":-" else options.find(letter)
            if place < 0:
                raise UsageError(f"{name}: illegal option -- {letter}")
            if options[place + 1 : place + 2] != ":":
                found.append((letter, None))
                continue
            value = word[at:]
            if not value:
                if index == len(words):
                    raise UsageError(f"{name}: option requires an argument -- {letter}")
                value = words[index]
                index += 1
            found.append((letter, value))
            break
    return found, words[index:]


def join(found, drop=""):
    """Returns options as separate words, without the letters in `drop`."""
    words = []
    for letter, value in found:
        if letter not in drop:
            words.append(f"-{letter}")
            if value is not None:
                words.append(value)
    return words
