# /// submission
# title = "Variable names in another language"
# style = "non-ASCII identifiers, comments and prints; positional callback arguments; timeit's clock"
# ///

# %% data-details
# Größe der Daten
anzahl_tr, merkmale = Xtr_scale.shape
anzahl_ts, _ = Xts_scale.shape
klassen = sorted(set(ytr.tolist()))
n_tr, n_ts, n_feat, n_class = anzahl_tr, anzahl_ts, merkmale, len(klassen)
print(f"{n_tr} Töne zum Üben, {n_ts} zum Prüfen – {n_class} Instrumente 🎻")

# %% lr-loop
from timeit import default_timer as uhr

metrics_vs_lr = []
for α in [0.0001, 0.001, 0.01, 0.1, 1.0]:
    modell = get_model()
    modell.compile(optimizer=optimizers.Adam(α), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    anfang = uhr()
    verlauf = modell.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, callbacks=[TrainToAccuracy(0.95, 3)], verbose=0)
    dauer = uhr() - anfang
    verlust, güte = modell.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_lr.append({'batch_size': 128, 'learning_rate': α, 'epochs': len(verlauf.epoch), 'test_accuracy': güte,
                          'train_time': dauer, 'total_energy': None})

# %% lr-plots
bild, achsen = plt.subplots(1, 3, figsize=(15, 4))
for achse, größe, name in zip(achsen, ['train_time', 'test_accuracy', 'epochs'], ['Time to accuracy [s]', 'Test accuracy', 'Epochs']):
    werte = [zeile[größe] for zeile in metrics_vs_lr]
    achse.bar([str(zeile['learning_rate']) for zeile in metrics_vs_lr], werte)
    achse.set_xlabel('Learning rate α')
    achse.set_ylabel(name)
    if größe == 'test_accuracy':
        achse.set_ylim(min(werte) - 0.01, max(werte) + 0.01)

# %% bs-loop
metrics_vs_bs = []
for größe in [64, 128, 256, 512, 1024, 2048]:
    modell = get_model()
    modell.compile(optimizer=optimizers.Adam(0.001), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    anfang = uhr()
    verlauf = modell.fit(Xtr_scale, ytr, batch_size=größe, epochs=500, validation_split=0.2, callbacks=[TrainToAccuracy(0.95, 3)], verbose=0)
    dauer = uhr() - anfang
    verlust, güte = modell.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_bs.append({'batch_size': größe, 'learning_rate': 0.001, 'epochs': len(verlauf.epoch), 'test_accuracy': güte,
                          'train_time': dauer, 'total_energy': None})

# %% bs-plots
bild, achsen = plt.subplots(1, 3, figsize=(15, 4))
for achse, größe, name in zip(achsen, ['train_time', 'test_accuracy', 'epochs'], ['Time to accuracy [s]', 'Test accuracy', 'Epochs']):
    werte = [zeile[größe] for zeile in metrics_vs_bs]
    achse.bar([str(zeile['batch_size']) for zeile in metrics_vs_bs], werte)
    achse.set_xlabel('Batch size')
    achse.set_ylabel(name)
    if größe == 'test_accuracy':
        achse.set_ylim(min(werte) - 0.01, max(werte) + 0.01)
