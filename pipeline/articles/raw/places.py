"""Names a dateline may hold: cities, countries and regions, agencies; and words that only look like them.

Compiled for this project from general knowledge: capitals, large cities, and towns news is often written from, in
English and in the usual spellings of other languages. `*` marks a city that is also a first name or a common word:
it needs a date, an agency or a country beside it.
"""

from __future__ import annotations

from functools import cache

from pipeline.articles.raw.dates import fold

_CITIES = """
Abidjan; Abu Dhabi; Abuja; Accra; Acapulco; Adana; Addis Ababa; Adelaide; Aden; Adiyaman; Agadez; Agadir; Agartala; Agra; Ahmedabad; Ahvaz;
Aix-en-Provence; Aizawl; Ajaccio; Ajman; Akron; Albany; Albuquerque; Aleppo; Alexandria*; Algiers; Alicante; Aligarh; Almaty; Amman; Amritsar;
Amsterdam; Anaheim; Anchorage; Andorra la Vella; Ankara; Annapolis; Annecy; Antakya; Antalya; Antananarivo; Antofagasta; Antwerp; Apia; Aqaba;
Arequipa; Arlington*; Arusha; Ashgabat; Ashkelon; Asmara; Astana; Aswan; Asuncion; Athens; Atlanta; Atlantic City; Auckland; Augsburg; Augusta*;
Aurora*; Austin; Avdiivka; Avignon; Babylon*; Baghdad; Baguio; Bahawalpur; Bakhmut; Baku; Balkh; Baltimore; Bamako; Bamenda; Bamiyan;
Bandar Abbas; Bandar Seri Begawan; Bandung; Bangalore; Bengaluru; Banghazi; Benghazi; Bangkok; Bangui; Banja Luka; Banjul; Barcelona; Bari;
Barranquilla; Basel; Basra; Basseterre; Bath*; Baton Rouge; Batumi; Beersheba; Beijing; Peking; Beira; Beirut; Belfast; Belgrade; Belgorod; Belmopan;
Belo Horizonte; Bergamo; Bergen*; Berlin; Bern; Berne; Bethlehem; Bhopal; Bhubaneswar; Bialystok; Bilbao; Bilaspur; Bilbao; Birmingham; Bishkek; Bismarck*; Bissau;
Blantyre; Bloemfontein; Bogota; Boise; Bologna; Bonn; Bordeaux; Boston; Boulder; Bradford*; Brasilia; Bratislava; Brazzaville; Breda; Bremen;
Brescia; Brest; Bridgetown; Brighton; Brisbane; Bristol; Brno; Bruges; Brussels; Bruxelles; Brussel; Bryansk; Bucaramanga; Bucharest; Budapest; Buenos Aires; Buffalo;
Bujumbura; Bukavu; Bulawayo; Bunia; Burgas; Burlington; Busan; Butembo; Bydgoszcz; Caen; Cagliari; Cairns; Cairo; Calais; Calcutta; Kolkata; Calgary; Cali;
Calicut; Cambridge; Canberra; Cancun; Cannes; Cap-Haitien; Cape Canaveral; Cape Coast; Cape Town; Caracas; Cardiff; Carson City; Cartagena; Casablanca; Castries; Catania;
Cayenne; Cebu City; Cebu; Chandigarh; Changchun; Changsha; Charleston; Charlotte*; Charlottesville; Chattanooga; Chelyabinsk; Chengdu; Chennai; Cherkasy; Chernihiv;
Chernivtsi; Cheyenne*; Chiang Mai; Chicago; Chihuahua; Chisinau; Chita; Chittagong; Chattogram; Chongqing; Christchurch; Cincinnati; Ciudad Juarez; Ciudad de Mexico; Cleveland*; Cluj-Napoca;
Coimbatore; Cologne; Colombo; Colorado Springs; Columbia*; Columbus*; Conakry; Concepcion; Concord*; Constanta; Copenhagen; Cordoba; Cork*; Corpus Christi; Cotonou;
Cox's Bazar; Cracow; Krakow; Cucuta; Culiacan; Curitiba; Cusco; Cuttack; Da Nang; Dadaab; Dakar; Dalian; Dallas*; Damascus; Dar es Salaam; Darwin*; Davao City; Davao; Davos;
Dayton; Daytona Beach; Debrecen; Deir al-Balah; Deir el-Balah; Dehradun; Den Haag; The Hague; Denpasar; Denver*; Deraa; Des Moines; Detroit; Dhaka; Dharamsala; Dili; Dimapur; Dire Dawa; Diyarbakir; Djibouti; Dnipro;
Dodoma; Doha; Donetsk; Dortmund; Douala; Dover*; Dresden; Dubai; Dublin; Dubrovnik; Duisburg; Dundee*; Dunedin; Durban; Durham; Durres; Dushanbe; Dusseldorf; Duesseldorf; East Jerusalem; East London;
Ecatepec; Edinburgh; Edmonton; Eindhoven; El Alto; El Fasher; El Geneina; El Paso; Elat; Eilat; Enugu; Entebbe; Erbil; Erfurt; Essen*; Esfahan; Isfahan; Eugene*; Evansville; Evian; Faisalabad; Fallujah; Fargo; Faro; Fez*; Ferguson*;
Flint; Florence*; Fort Lauderdale; Fort Worth; Fortaleza; Frankfurt; Frankfurt am Main; Freetown; Freiburg; Fresno; Fukuoka; Fukushima; Funafuti; Funchal; Fuzhou; Gaborone; Galle; Galway; Gandhinagar; Gao; Gardez;
Gaza City; Gaza; Gaziantep; Gdansk; Gdynia; Geneva; Geneve; Genf; Genoa; Georgetown; Ghazni; Ghent; Gilgit; Gitega; Glasgow; Gothenburg; Goteborg; Goma; Gorakhpur; Graz; Grenoble; Groningen; Grozny; Guadalajara; Guangzhou;
Guantanamo Bay; Guatemala City; Guayaquil; Gujranwala; Gujrat; Guwahati; Gwadar; Gwalior; Gyumri; Haifa; Haikou; Halab; Halifax; Halle; Hama; Hamburg; Hamilton*; Hangzhou; Hanoi; Hannover; Hanover; Harare; Harbin;
Hargeisa; Harrisburg; Hartford; Hasakah; Havana; Hebron; Hefei; Helena*; Helsinki; Herat; Heraklion; Hermosillo; Hilo; Hilversum; Hiroshima; Ho Chi Minh City; Saigon; Hobart; Hodeidah; Hohhot; Homs; Hong Kong; Hongkong; Honiara; Honolulu; Houston*;
Hua Hin; Hubli; Huntsville; Hyderabad; Ibadan; Idlib; Iloilo City; Imphal; Incheon; Indianapolis; Indore; Innsbruck; Irbil; Irkutsk; Irpin; Islamabad; Istanbul; Itanagar; Ivano-Frankivsk; Izmir; Izium; Jabalpur; Jackson*; Jacksonville;
Jaffna; Jaipur; Jakarta; Jalalabad; Jalandhar; Jammu; Jamshedpur; Jeddah; Jefferson City; Jenin; Jerusalem; Jerez; Jericho; Jinan; Jodhpur; Johannesburg; Johor Bahru; Jos; Juba; Juneau; Kabul; Kaduna; Kaliningrad; Kampala;
Kandahar; Kandy; Kano; Kanpur; Kansas City; Kaohsiung; Karachi; Karbala; Karlsruhe; Kassel; Kassala; Kathmandu; Katowice; Kaunas; Kawasaki; Kayseri; Kazan; Kenosha; Kerch; Key West; Khan Younis; Khan Yunis; Khan Yunus; Kharkiv; Kharkov; Khartoum; Kherson; Khmelnytskyi; Khost;
Khulna; Kiel; Kyiv; Kiev; Kigali; Kingston*; Kingstown; Kinshasa; Kiryat Shmona; Kirkuk; Kirkuk; Kisangani; Kismayo; Kisumu; Knoxville; Kobani; Kobe*; Kochi; Kohima; Kolhapur; Kolkata; Konya; Kota Kinabalu; Kosice; Kota; Kozhikode; Kramatorsk; Krasnodar; Krasnoyarsk; Kuala Lumpur; Kuching; Kumamoto; Kumasi; Kunduz; Kunming; Kupiansk; Kupwara;
Kursk; Kushtia; Kuwait City; Kuwait; Kyoto; Kryvyi Rih; La Paz; Lagos; Lahore; Lansing; Larkana; Larnaca; Las Palmas; Las Vegas; Lashkar Gah; Latakia; Lausanne; Leeds; Leicester; Leh; Leipzig; Leon*; Lexington; Lhasa; Libreville; Liege;
Lille; Lilongwe; Lima*; Limassol; Limerick*; Lincoln*; Linz; Lisbon; Lisboa; Little Rock; Liverpool; Ljubljana; Lodz; Lome; London; Londonderry; Long Beach; Los Angeles; Louisville; Luanda; Lubbock; Lubumbashi; Lucerne; Lucknow; Ludhiana; Luhansk; Lugano; Lusaka; Lutsk; Luxembourg; Luxor;
Lviv; Lvov; Lyon; Lyons; Maastricht; Macau; Macao; Madison*; Madrid; Madurai; Magdeburg; Maiduguri; Mainz; Makassar; Makhachkala; Malabo; Malaga; Malakal; Male; Malmo; Managua; Manama; Manaus; Manchester; Mandalay; Mangalore; Manila; Mannheim; Manta*; Maputo; Mar del Plata; Maracaibo; Mardan; Mariupol; Marjayoun; Marrakech; Marrakesh;
Marseille; Marseilles; Maseru; Mashhad; Mastung; Mazar-i-Sharif; Mazatlan; Mbabane; Mbale; McAllen; Mecca; Makkah; Medan; Medellin; Medford; Medina; Madinah; Meerut; Mekelle; Melbourne; Memphis; Mendoza; Merida; Mersin; Metz; Mexicali; Mexico City; Miami; Miami Beach; Midland; Milan; Milano; Mailand; Milwaukee; Mingora; Minneapolis; Minsk; Mirpur; Misrata; Mobile*; Mogadishu; Mombasa; Monaco; Monrovia; Monte Carlo; Monterrey; Montevideo;
Montgomery*; Montpelier; Montpellier; Montreal; Moroni; Moscow; Moskau; Mosul; Mostar; Multan; Mumbai; Bombay; Munich; Munchen; Muenchen; Muscat; Muzaffarabad; Muzaffargarh; Mwanza; Mykolaiv; Mysuru; Mysore; Myitkyina; N'Djamena; Nablus; Nagasaki; Nagorno-Karabakh; Nagoya; Nagpur; Naha; Nairobi; Najaf; Nakuru; Nanjing; Nanning; Nantes; Napa; Naples; Napoli; Narathiwat; Nashik; Nashville; Nassau; Natal*;
Naypyidaw; Naypyitaw; Nazareth; Ndola; New Delhi; Delhi; Neu-Delhi; New Haven; New Orleans; New Taipei; New York; New York City; Newark; Newcastle; Niamey; Nice*; Nicosia; Nicosie; Nouakchott; Nizhny Novgorod; Noida; Norfolk; Nottingham; Noumea; Novi Sad; Novosibirsk; Nowshera; Nuevo Laredo; Nuku'alofa; Nuremberg; Nurnberg; Nur-Sultan; Nuuk; Nyala; Oakland; Oaxaca; Odesa; Odessa; Ohrid; Okara; Okinawa; Oklahoma City; Olympia*; Omaha; Omdurman; Omsk; Orebro; Oran; Orlando*; Orleans;
Osaka; Oslo; Ostrava; Ottawa; Ouagadougou; Oulu; Oviedo; Oxford; Oxnard; Padang; Palembang; Palermo; Palikir; Palm Beach; Palm Springs; Palma; Palma de Mallorca; Palo Alto; Palu; Panaji; Panama City; Paramaribo; Paris; Pasadena; Pathankot; Patna; Pattaya; Peja; Penang; Pensacola; Perm; Perth; Peshawar; Petersburg; Philadelphia; Phnom Penh; Phoenix*; Phuket; Pierre*; Pittsburgh; Plovdiv; Podgorica; Pointe-a-Pitre; Pokhara; Pokrovsk; Poltava; Ponce; Pontianak; Port Blair; Port Elizabeth; Gqeberha;
Port Harcourt; Port Louis; Port Moresby; Port of Spain; Port Said; Port Sudan; Port Vila; Port-au-Prince; Portland; Porto; Porto Alegre; Porto-Novo; Portsmouth; Potsdam; Poznan; Prague; Praha; Prag; Praia; Pretoria; Tshwane; Pristina; Prizren; Providence*; Provo; Puebla; Pucallpa; Puducherry; Puerto Princesa; Pul-i-Alam; Pune; Punta Arenas; Punta Cana; Pyongyang; Qamishli; Qom; Quebec City; Quebec; Quetta; Quezon City; Quito; Rabat; Rafah; Rahim Yar Khan; Raipur; Rajkot; Raleigh; Ramadi; Ramallah; Ranchi; Rangoon; Yangon; Raqqa; Rasht; Ravenna; Rawalpindi;
Reading*; Recife; Regina*; Reims; Reno; Rennes; Reykjavik; Rhodes*; Richmond; Riga; Rijeka; Rimini; Rio de Janeiro; Riverside; Rivne; Riyadh; Riad; Roanoke; Rochester; Rome; Roma*; Rom*; Rosario*; Roseau; Rostock; Rostov-on-Don; Rostow; Rotterdam; Rouen; Saarbrucken; Sacramento; Sahiwal; Saint Petersburg; St. Petersburg; St Petersburg; Saint-Denis; St. Louis; St Louis; St. Paul; St Paul; St. George's; St. John's; St John's; Salalah; Salem*; Salt Lake City; Salta; Salvador; Salzburg; Samara; Samarkand; San Antonio; San Bernardino;
San Cristobal; San Diego; San Francisco; San Jose; San Juan; San Marino; San Pedro Sula; San Salvador; San Sebastian; Sana'a; Sanaa; Sandakan; Santa Barbara; Santa Clara; Santa Cruz; Santa Fe; Santa Monica; Santander; Santiago*; Santiago de Chile; Santiago de Compostela; Santiago de Cuba; Santo Domingo; Sao Paulo; Sao Tome; Sapporo; Sarajevo; Saransk; Saratov; Sargodha; Savannah*; Schwerin; Scranton; Seattle; Sendai; Seoul; Setif; Sevastopol; Severodonetsk; Seville; Sevilla; Sfax; Shanghai; Sharjah; Sharm El Sheikh; Sharm el-Sheikh; Sheffield; Shenyang; Shenzhen; Sherman*; Shijiazhuang; Shillong; Shimla;
Shiraz; Shreveport; Sialkot; Sibi; Sidon; Siem Reap; Siliguri; Simferopol; Singapore; Sioux Falls; Sirte; Sitka; Sittwe; Skardu; Skopje; Sloviansk; Sochi; Sofia*; Sokoto; Solo*; Songkhla; Southampton; South Bend; Sousse; Split*; Spokane; Springfield; Sri Jayawardenepura Kotte; Srebrenica; Srinagar; Stanley*; Stavanger; Stockholm; Strasbourg; Stuttgart; Sucre*; Suez; Sukkur; Sulaymaniyah; Sulaimaniya; Sumy; Sunderland; Surabaya; Surat; Suva; Suwon; Suzhou; Swansea; Swat; Sydney*; Syracuse; Szczecin; Szeged; Tabriz; Tacloban; Tacoma; Taipei; Taichung;
Taif; Taiz; Tallahassee; Tallinn; Tamale; Tampa; Tampere; Tangier; Tarawa; Tartu; Tartus; Tashkent; Tbilisi; Tegucigalpa; Tehran; Teheran; Tel Aviv; Tel Aviv-Yafo; Temecula; Tema; Tenerife; Ternopil; Tezpur; Thessaloniki; Thimphu; Thiruvananthapuram; Thrissur; Tianjin; Tijuana; Tikrit; Tilburg; Timbuktu; Timisoara; Tirana; Tiraspol; Tobruk; Tokyo; Tokio; Toledo; Toluca; Topeka; Toronto; Torun; Toulon; Toulouse; Townsville; Trabzon; Trenton*; Trieste; Tripoli; Tromso; Trondheim; Troy*; Trujillo; Tskhinvali; Tucson; Tulsa; Tunis; Tunja; Turbat; Turin; Torino; Turku; Tver; Tyre*; Ufa; Udaipur; Ujjain; Ulaanbaatar; Ulan Bator; Umea; Uppsala; Urumqi; Ushuaia; Utrecht;
Uvalde; Vaduz; Valencia; Valladolid; Valletta; Valparaiso; Vancouver; Varanasi; Varna; Venice; Veracruz; Verona*; Versailles; Victoria*; Vientiane; Vienna; Wien; Vienne; Vigo; Vijayawada; Vilnius; Vinnytsia; Virginia Beach; Visakhapatnam; Vladikavkaz; Vladivostok; Volgograd; Voronezh; Vovchansk; Wana; Warsaw; Warschau; Washington; Washington DC; Washington D.C.; Waco; Wau; Wellington*; West Palm Beach; Wichita; Wiesbaden; Wilmington; Windhoek; Windsor*; Winnipeg; Wolfsburg; Wroclaw; Wuhan; Wuppertal; Xi'an; Xiamen; Xining; Yakutsk; Yalta; Yamoussoukro; Yaounde; Yaren; Yekaterinburg;
Yerevan; Yogyakarta; Yokohama; York*; Zagreb; Zahedan; Zamboanga City; Zanzibar City; Zaporizhzhia; Zaragoza; Zhengzhou; Zhytomyr; Ziarat; Zinder; Zurich; Zuerich; United Nations; Vatican City; Camp David; Cape Canaveral; Kennedy Space Center; Guantanamo; Capitol Hill; Silicon Valley; Bay Area; Chaman; Torkham; Bannu; Kohat; Dera Ismail Khan; Dera Ghazi Khan; Abbottabad; Mansehra; Parachinar; Jacobabad; Nawabshah; Hafizabad; Sheikhupura; Jhelum; Chitral; Khairpur; Mianwali; Thatta; Umerkot; Zhob; Sindh*; Kasur; Attock; Murree; Taxila; Toba Tek Singh; Muridke
北京; 上海; 香港; 台北; 東京; 东京; 大阪; 京都; ソウル; 首尔; 首爾; 서울; 부산; 도쿄; 베이징; 워싱턴; 华盛顿; 華盛頓; ワシントン; ニューヨーク; 纽约; 紐約; 뉴욕; ロンドン; 伦敦; 倫敦; 런던; パリ; 巴黎; 파리; ベルリン; 柏林; モスクワ; 莫斯科; 모스크바; 日内瓦; ジュネーブ; 布鲁塞尔; ブリュッセル; 广州; 深圳; 重庆; 武汉; 成都; 南京; 西安; 杭州; 天津; 新德里; ニューデリー; シドニー; 悉尼; 开罗; カイロ; 德黑兰; 伊斯兰堡; 新加坡; シンガポール; 曼谷; バンコク; 河内; ハノイ; 马尼拉; 雅加达
القاهرة; الرياض; جدة; مكة; دبي; أبوظبي; الدوحة; الكويت; المنامة; مسقط; صنعاء; عدن; بغداد; دمشق; بيروت; عمان; القدس; غزة; رام الله; الخرطوم; طرابلس; بنغازي; تونس; الجزائر; الرباط; نواكشوط; لندن; باريس; واشنطن; نيويورك; موسكو; أنقرة; طهران; جنيف; بروكسل; برلين; اسطنبول
اسلام آباد; کراچی; لاہور; پشاور; کوئٹہ; راولپنڈی; ملتان; فیصل آباد; مظفرآباد; گلگت; نئی دہلی; دہلی; ممبئی; سری نگر; کابل; تہران; ڈھاکہ; واشنگٹن; نیویارک; ماسکو; بیجنگ; دبئی; ریاض; انقرہ; تهران; مشهد; اصفهان; کابل; هرات
Москва; Санкт-Петербург; Київ; Киев; Харьков; Харків; Одеса; Одесса; Львів; Минск; Мінск; Астана; Алматы; Ташкент; Бишкек; Баку; Ереван; Тбилиси; Вашингтон; Лондон; Париж; Берлин; Брюссель; Женева; Пекин; Токио; Анкара; Стамбул; Тегеран; Дели; Нью-Йорк; София; Белград; Екатеринбург; Новосибирск; Казань; Самара; Ростов-на-Дону; Владивосток; Краснодар; Донецк; Луганск; Αθήνα; Λευκωσία; Θεσσαλονίκη; Βρυξέλλες; नई दिल्ली; मुंबई; लखनऊ; पटना; कोलकाता; भोपाल; जयपुर; ঢাকা; কলকাতা; ירושלים; תל אביב; חיפה
"""

_REGIONS = """
Afghanistan; Albania; Algeria; Andorra; Angola; Argentina; Armenia; Australia; Austria; Azerbaijan; Bahamas; Bahrain; Bangladesh; Barbados; Belarus; Belgium; Belize; Benin; Bhutan; Bolivia; Bosnia; Bosnia and Herzegovina; Botswana; Brazil; Brunei; Bulgaria; Burkina Faso; Burundi; Cambodia; Cameroon; Canada; Cape Verde; Central African Republic; Chad; Chile; China; Colombia; Comoros; Congo; Costa Rica; Croatia; Cuba; Curacao; Cyprus; Czech Republic; Czechia;
Democratic Republic of Congo; DR Congo; Denmark; Dominica; Dominican Republic; East Timor; Timor-Leste; Ecuador; Egypt; El Salvador; England; Eritrea; Estonia; Eswatini; Ethiopia; Fiji; Finland; France; French Guiana; Gabon; Gambia; Gaza; Gaza Strip; Georgia; Germany; Ghana; Gibraltar; Greece; Greenland; Grenada; Guam; Guatemala; Guinea; Guinea-Bissau; Guyana; Haiti; Honduras; Hungary; Iceland; India; Indonesia; Iran; Iraq; Ireland; Israel; Italy; Ivory Coast; Jamaica; Japan; Jordan; Kashmir;
Kazakhstan; Kenya; Kosovo; Kuwait; Kyrgyzstan; Laos; Latvia; Lebanon; Lesotho; Liberia; Libya; Liechtenstein; Lithuania; Luxembourg; Madagascar; Malawi; Malaysia; Maldives; Mali; Malta; Mauritania; Mauritius; Mexico; Moldova; Mongolia; Montenegro; Morocco; Mozambique; Myanmar; Burma; Namibia; Nepal; Netherlands; New Zealand; Nicaragua; Niger; Nigeria; North Korea; North Macedonia; Northern Ireland; Norway; Oman; Pakistan; Palestine; Palestinian Territories; Panama; Papua New Guinea; Paraguay; Peru; Philippines; Poland; Portugal; Puerto Rico; Qatar;
Romania; Russia; Rwanda; Saudi Arabia; Scotland; Senegal; Serbia; Seychelles; Sierra Leone; Slovakia; Slovenia; Somalia; Somaliland; South Africa; South Korea; South Sudan; Spain; Sri Lanka; Sudan; Suriname; Sweden; Switzerland; Syria; Taiwan; Tajikistan; Tanzania; Thailand; Togo; Trinidad and Tobago; Tunisia; Turkey; Turkiye; Turkmenistan; Uganda; Ukraine; UAE; U.A.E.; United Arab Emirates; United Kingdom; U.K.; UK; United States; U.S.; USA; US; Uruguay; Uzbekistan; Vanuatu; Vatican; Venezuela; Vietnam; Wales; West Bank; Western Sahara; Yemen; Zambia; Zimbabwe;
Deutschland; Osterreich; Schweiz; Russland; Frankreich; Italien; Spanien; Polen; Ukraine; Griechenland; Turkei; Tschechien; Ungarn; Niederlande; Belgien; Danemark; Schweden; Norwegen; Finnland; Grossbritannien; Irland; China; Indien; Agypten; Sudafrika; Brasilien; Argentinien; Mexiko; Kanada; Syrien; Libanon; Irak; Jordanien; Russie; Allemagne; Italie; Espagne; Royaume-Uni; Etats-Unis; Belgique; Suisse; Chine; Inde; Japon; Maroc; Algerie; Tunisie; Egypte; Liban; Turquie; Alemania; Francia; Italia; Espana; Brasil; Estados Unidos; Rusia;
Alabama; Alaska; Arizona; Arkansas; California; Colorado; Connecticut; Delaware; Florida; Hawaii; Idaho; Illinois; Indiana; Iowa; Kansas; Kentucky; Louisiana; Maine; Maryland; Massachusetts; Michigan; Minnesota; Mississippi; Missouri; Montana; Nebraska; Nevada; New Hampshire; New Jersey; New Mexico; New York; North Carolina; North Dakota; Ohio; Oklahoma; Oregon; Pennsylvania; Rhode Island; South Carolina; South Dakota; Tennessee; Texas; Utah; Vermont; Virginia; Washington; West Virginia; Wisconsin; Wyoming; D.C.; DC;
Ala.; Ariz.; Ark.; Calif.; Colo.; Conn.; Del.; Fla.; Ga.; Ill.; Ind.; Kan.; Ky.; La.; Md.; Mass.; Mich.; Minn.; Miss.; Mo.; Mont.; Neb.; Nev.; N.H.; N.J.; N.M.; N.Y.; N.C.; N.D.; Okla.; Ore.; Pa.; R.I.; S.C.; S.D.; Tenn.; Vt.; Va.; Wash.; W.Va.; Wis.; Wyo.; AL; AK; AZ; AR; CA; CO; CT; DE; FL; GA; HI; ID; IL; IA; KS; KY; LA; ME; MD; MA; MI; MN; MS; MO; MT; NE; NV; NH; NJ; NM; NY; NC; ND; OH; OK; OR; PA; RI; SC; SD; TN; TX; UT; VT; VA; WA; WV; WI; WY;
Ontario; Quebec; British Columbia; Alberta; Manitoba; Saskatchewan; Nova Scotia; New Brunswick; Newfoundland; Ont.; Que.; B.C.; Alta.; Man.; Sask.; N.S.; N.B.; Queensland; New South Wales; Tasmania; Western Australia; South Australia; Northern Territory; Punjab; Sindh; Balochistan; Khyber Pakhtunkhwa; KP; AJK; Azad Kashmir; Gilgit-Baltistan; Gujarat; Maharashtra; Kerala; Tamil Nadu; Karnataka; Uttar Pradesh; Bihar; West Bengal; Assam; Manipur; Rajasthan; Odisha; Telangana; Haryana; Crimea; Chechnya; Dagestan; Kurdistan; Xinjiang; Tibet; Catalonia; Bavaria; Bayern; Saxony; Sachsen; Hessen; Tyrol; Sicily; Sicilia; Corsica; Tigray; Darfur; Kivu; North Kivu; Mindanao; Sulawesi; Papua; Bali; Java; Sumatra
"""

_AGENCIES = """
AP; Associated Press; The Associated Press; Reuters; AFP; Agence France-Presse; UPI; Bloomberg; dpa; dpa-AFX; SID; epd; KNA; AFX; APA; SDA; Keystone-SDA; Keystone-ATS; ATS; ANP; Belga; Ritzau; NTB; TT; STT; FNB; PAP; CTK; TASR; MTI; Agerpres; BTA; Tanjug; Beta; HINA; STA; SRNA; FENA; MIA; ATA; ANSA; AGI; Adnkronos; LaPresse; EFE; Europa Press; Lusa; DHA; AA; Anadolu; Anadolu Agency; IHA; TASS; ITAR-TASS; Interfax; RIA Novosti; RIA; Sputnik; Ukrinform; UNIAN; BelTA; Kazinform; AKIpress; UzA; Azertac; APA; Trend; Armenpress; Interpress;
Xinhua; CNS; CNA; Focus Taiwan; Kyodo; Kyodo News; Jiji; Jiji Press; Yonhap; KCNA; Newsis; PTI; ANI; IANS; UNI; APP; PPI; INP; NNI; Online; Online News; TDI; The Diplomatic Insight; Dawn; BSS; UNB; RSS; SPA; WAM; QNA; KUNA; BNA; ONA; Saba; INA; Petra; NNA; SANA; WAFA; MENA; LANA; TAP; APS; MAP; SUNA; ENA; Walta; GNA; NAN; KNA; KBC; RNA; SAnews; SAPA; ANGOP; AIM; Panapress; IRNA; ISNA; Fars; Tasnim; Mehr; Pajhwok; Khaama; Bakhtar; Bernama; Antara; TEMPO.CO; KOMPAS.com; PNA; VNA; TNA; AKP; AAP; RNZ; CP; The Canadian Press; Canadian Press; PA; PA Media; Press Association; Notimex; Telam; Prensa Latina; PL; Andina; ABI; CMC; AVN; Agencia Brasil; JTA; TPS; RFE/RL; RFI; VOA; DW; BBC; CNN; CNBC; NPR; ABC; CBS; FOX; PBS; KXAN; WSVN; HawaiiNewsNow; KTLA; KHON2; WAVY; States Newsroom; CalMatters; KFF Health News; ProPublica; Thomson Reuters Foundation; Zenit; Fides; UCA News; AsiaNews; ACI Prensa; CNA; Vatican News; PRNewswire; PR Newswire; GLOBE NEWSWIRE; Business Wire; BUSINESS WIRE; ACCESSWIRE; Newsfile; ANTARA News; Okezone; detikcom; UN News; IPS; SciDev.Net; Mongabay; MEE; Rudaw; SHAFAQ; Shafaq News; ROYA; WION; Dow Jones; MarketWatch; Alliance News; RTT News; RTTNews; News Desk; Web Desk; Staff Report; Monitoring Desk; Agencies; Agenturen;
ロイター; 共同; 時事; AFP時事; 新华社; 新華社; 中新社; 中央社; 路透社; 法新社; 连合뉴스; 연합뉴스; 뉴시스; 뉴스1; 로이터; رويترز; أ ف ب; د ب أ; أ ب; وام; واس; بنا; قنا; كونا; بترا; سانا; وفا; اے پی پی; این این آئی; آن لائن; ایسنا; ایرنا; ТАСС; РИА Новости; Интерфакс; БЕЛТА; Укринформ; Укрінформ; УНИАН; УНІАН; ΑΠΕ-ΜΠΕ; भाषा; वार्ता; एएनआई
"""

#: Lead words in capitals that stand before a mark and name no place.
_LEADS = """
advertisement; also; alert; analysis; announcement; answer; archive; audio; blog; breaking; breaking news; brief; comment; commentary; column; correction; corrected; clarification; developing; edit; editorial; editor's note; exclusive; explainer; explained; fact check; factbox; feature; first; flash; friday; monday; tuesday; wednesday; thursday; saturday; sunday; gallery; graphic; highlights; in pictures; insight; interview; just in; latest; letter; listen; live; live blog; live updates; more; must read; nato; new; news; news analysis; note; notice; obituary; official; op-ed; opinion; photos; podcast; poll; posted; press release; published; q; q&a; question; quiz; quote; read; read more; related; report; reports; review; science; sponsored; special report; sports; spotlight; statement; story; summary; table; text; the latest; timeline; top news; transcript; trending; tv; un; update; updated; updates; urgent; us; usa; video; views; warning; watch; weather; what; who; why; eu; uk; imf; who; faq; ps; pm; am; tl;dr; tldr
"""


def _names(text: str) -> list[str]:
    return [name for part in text.replace("\n", ";").split(";") if (name := part.strip())]


def key(name: str) -> str:
    """What names are compared by: folded, one kind of apostrophe, no outer dots or spaces."""
    return " ".join(fold(name).replace("’", "'").replace("‘", "'").replace("ʼ", "'").split()).strip(" .")


@cache
def _cities() -> tuple[frozenset[str], frozenset[str]]:
    names = _names(_CITIES)
    plain = frozenset(key(name) for name in names if not name.endswith("*"))
    return plain, frozenset(key(name[:-1]) for name in names if name.endswith("*"))


@cache
def _set(text: str) -> frozenset[str]:
    return frozenset(key(name) for name in _names(text))


def is_city(name: str, *, sure: bool = False) -> bool:
    """Is this a city we know? With `sure`, one that is not also a first name or a common word."""
    plain, doubtful = _cities()
    return key(name) in plain or (not sure and key(name) in doubtful)


def is_region(name: str) -> bool:
    """Is this a country, a state or a province (in English, or as German, French or Spanish write it)?"""
    return key(name) in _set(_REGIONS)


def is_agency(name: str) -> bool:
    """Is this a news agency or a newsroom that signs datelines?"""
    return key(name) in _set(_AGENCIES)


def is_lead(name: str) -> bool:
    """Is this a label such as UPDATE or WATCH?"""
    return key(name) in _set(_LEADS)
