# /// submission
# title = "Loops and lists throughout"
# style = "a first programming course: while, append, no array operation, lists returned"
# ///

# %% rms
def rms(x):
    total = 0
    for value in x:
        total = total + value * value
    return (total / len(x)) ** 0.5

# %% zero-crossings
def zero_crossing_rate(x):
    changes = 0
    i = 1
    while i < len(x):
        if x[i - 1] < 0 and x[i] >= 0:
            changes += 1
        elif x[i - 1] >= 0 and x[i] < 0:
            changes += 1
        i += 1
    return changes / (len(x) - 1)

# %% mel
def mel_filters(n_bands, n_fft, rate):
    top = 2595 * np.log10(1 + (rate / 2) / 700)
    corners = []
    for i in range(n_bands + 2):
        corners.append(700 * (10 ** (top * i / (n_bands + 1) / 2595) - 1))
    rows = []
    for f in np.fft.rfftfreq(n_fft, 1 / rate):
        row = []
        for b in range(n_bands):
            left, middle, right = corners[b], corners[b + 1], corners[b + 2]
            if f < left or f > right:
                row.append(0.0)
            elif f <= middle:
                row.append((f - left) / (middle - left))
            else:
                row.append((right - f) / (right - middle))
        rows.append(row)
    return rows

# %% split
import random

def split_by_pitch(table, share, seed):
    pitches = []
    for p in table["pitch"]:
        if p not in pitches:
            pitches.append(p)
    n = round(share * len(pitches))
    if n < 1:
        n = 1
    if n > len(pitches) - 1:
        n = len(pitches) - 1
    random.seed(seed)
    random.shuffle(pitches)
    chosen = pitches[:n]
    in_test = []
    for p in table["pitch"]:
        in_test.append(p in chosen)
    in_train = [not t for t in in_test]
    return table[in_train], table[in_test]

# %% standardise
def standardise(x_train, x_test):
    new_train = [[0.0] * len(x_train[0]) for _ in x_train]
    new_test = [[0.0] * len(x_test[0]) for _ in x_test]
    for j in range(len(x_train[0])):
        column = [row[j] for row in x_train]
        m = sum(column) / len(column)
        s = (sum((v - m) ** 2 for v in column) / len(column)) ** 0.5
        if s == 0:
            s = 1
        for i in range(len(x_train)):
            new_train[i][j] = (x_train[i][j] - m) / s
        for i in range(len(x_test)):
            new_test[i][j] = (x_test[i][j] - m) / s
    return new_train, new_test

# %% baseline
def baseline(x_train, y_train, x_test, y_test):
    a, b = standardise(x_train, x_test)
    knn = KNeighborsClassifier(n_neighbors=1)
    knn.fit(a, y_train)
    predictions = list(knn.predict(b))
    correct = 0
    for i in range(len(predictions)):
        if predictions[i] == y_test[i]:
            correct += 1
    result = {}
    result["predictions"] = predictions
    result["accuracy"] = correct / len(predictions)
    return result

# %% histogram
plt.hist(list(notes.level), bins=10, edgecolor="black")
plt.xlabel("level in dB")
plt.ylabel("how many notes")
plt.title("Levels")
plt.show()
