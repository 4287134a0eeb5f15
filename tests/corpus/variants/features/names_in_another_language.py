# /// submission
# title = "German names and labels"
# style = "arguments and variables in German, Pegel in dB"
# ///

# %% rms
def rms(signal):
    quadrate = np.square(signal)
    return np.sqrt(quadrate.mean())

# %% zero-crossings
def zero_crossing_rate(signal):
    vorzeichen = np.where(signal < 0, -1, 1)
    wechsel = np.abs(np.diff(vorzeichen)) / 2
    return wechsel.mean()

# %% mel
def mel_filters(anzahl, laenge, abtastrate):
    höchste = 2595 * np.log10(1 + abtastrate / 2 / 700)
    ecken = 700 * (10 ** (np.linspace(0, höchste, anzahl + 2) / 2595) - 1)
    frequenzen = np.fft.rfftfreq(laenge, 1 / abtastrate)
    ergebnis = np.empty((frequenzen.size, anzahl))
    for band in range(anzahl):
        links, mitte, rechts = ecken[band : band + 3]
        steigend = (frequenzen - links) / (mitte - links)
        fallend = (rechts - frequenzen) / (rechts - mitte)
        ergebnis[:, band] = np.maximum(np.minimum(steigend, fallend), 0)
    return ergebnis

# %% split
def split_by_pitch(tabelle, anteil, startwert):
    höhen = np.unique(tabelle["pitch"])
    anzahl = min(max(1, round(anteil * len(höhen))), len(höhen) - 1)
    zufall = np.random.default_rng(startwert)
    gewählt = zufall.choice(höhen, size=anzahl, replace=False)
    im_test = np.isin(tabelle["pitch"], gewählt)
    return tabelle[~im_test], tabelle[im_test]

# %% histogram
bild, achse = plt.subplots(figsize=(6, 3))
achse.hist(notes.level, bins=np.arange(-40, 2, 2.5), color="steelblue", rwidth=0.9)
achse.set(xlabel="Pegel in dB", ylabel="Anzahl der Töne")

# %% comment [markdown]
# Beides verrät etwas über die Testtöne. Der Klassifikator ist nicht besser.
