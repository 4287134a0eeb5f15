# /// submission
# title = "A task over several cells"
# style = "parts of a solution in cells before and after the one that was meant for it, tries in between"
# ///

# %% the frequencies before="mel"
def corners_of(n_bands, rate):
    top = 2595 * np.log10(1 + rate / 2 / 700)
    return 700 * (10 ** (np.linspace(0, top, n_bands + 2) / 2595) - 1)

# %% mel
def one_filter(f, c):
    return np.interp(f, c, [0, 1, 0])

# %% put together after="mel"
def mel_filters(n_bands, n_fft, rate):
    c = corners_of(n_bands, rate)
    f = np.fft.rfftfreq(n_fft, 1 / rate)
    return np.column_stack([one_filter(f, c[b:b + 3]) for b in range(n_bands)])

# %% histogram
figure = plt.figure()
n, bins, patches = plt.hist(notes["level"], bins=20)
plt.xlabel("Level (dB)")
plt.ylabel("Notes")
plt.show()

# %% how many there are after="histogram"
n.sum(), bins[:3]
